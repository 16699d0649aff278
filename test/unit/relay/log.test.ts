import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createSecret } from '../../../src/core/secret.ts'
import { createRelayLog } from '../../../src/relay/log.ts'

const SECRETS = ['0123456789abcdef0123456789abcdef', 'a "quoted" \\ token\twith ü']

for (const logFormat of ['json', 'text'] as const) {
  test(`no secret is in a line of ${logFormat}, wherever it was put`, () => {
    let written = ''
    const config = { logLevel: 'info', logFormat } as Parameters<typeof createRelayLog>[0]
    const log = createRelayLog(config, SECRETS.map(createSecret), (text) => (written += text))
    for (const secret of SECRETS) {
      log.logger.info({ reason: `refused: ${secret}`, [secret]: { nested: [secret] } }, `about ${secret}`)
      log.logger.error(new Error(secret))
    }
    log.flush()
    for (const secret of SECRETS) {
      assert.ok(!written.includes(secret), written)
      assert.ok(!written.includes(JSON.stringify(secret).slice(1, -1)), written)
    }
    assert.match(written, /about …cdef/)
  })
}

test('a secret that begins like another one is masked as a whole', () => {
  let written = ''
  const config = { logLevel: 'info', logFormat: 'text' } as Parameters<typeof createRelayLog>[0]
  const secrets = ['abcdefgh', 'abcdefgh-and-more$&', '(x.y)*z|'].map(createSecret)
  const log = createRelayLog(config, secrets, (text) => (written += text))
  log.logger.info('abcdefgh-and-more$& abcdefgh (x.y)*z| xay')
  log.flush()
  assert.equal(written, 'pagerduty-alert: …re$& … … xay\n')
})
