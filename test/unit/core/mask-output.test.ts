import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { formatOutput, maskOutput, stripControls } from '../../../src/core/mask-output.ts'
import { secretValues } from '../../../src/core/secret-values.ts'

const SHAPES: [string, string][] = [
  ['password=hunter2 next', 'password=[masked] next'],
  ['DB_PASSWORD: hunter2', 'DB_PASSWORD: [masked]'],
  ['{"api_key": "abc123", "user": "jane"}', '{"api_key": "[masked]", "user": "jane"}'],
  ['mysql --password=hunter2 --host=db', 'mysql --password=[masked] --host=db'],
  ['curl --token hunter2 x', 'curl --token [masked] x'],
  ['https://jane:hunter2@db.example/x', 'https://[masked]@db.example/x'],
  ['git clone https://x-access-token@github.com/a', 'git clone https://[masked]@github.com/a'],
  ['Authorization: Bearer abc.def-ghi', 'Authorization: [masked]'],
  ['-H "authorization: Token token=abcdef"', '-H "authorization: [masked]"'],
  ['sent bearer abcdef7ghijk', 'sent bearer [masked]'],
  ['id AKIAIOSFODNN7EXAMPLE used', 'id [masked] used'],
  ['a\n-----BEGIN RSA PRIVATE KEY-----\nMIIE\nabc\n-----END RSA PRIVATE KEY-----\nb', 'a\n[masked]\nb'],
  ['a\n-----BEGIN PRIVATE KEY-----\nMIIE\ncut off', 'a\n[masked]'],
  ['MIIE\nabc\n-----END PRIVATE KEY-----\nb', '[masked]\nb'],
  [`ghp_${'a'.repeat(36)}`, '[masked]'],
  ['curl -u jane:hunter2 --user "bob:hunter3"', 'curl -u jane:[masked] --user "bob:[masked]"'],
  ['psql -u jane -h db:5432', 'psql -u jane -h db:5432'],
  ['tokens are counted: 5', 'tokens are counted: 5'],
]
for (const [text, expected] of SHAPES) {
  test(`"${text.slice(0, 40)}" is masked by its shape`, () => assert.equal(maskOutput(text, []), expected))
}

test('ordinary text stays as it is', () => {
  for (const text of [
    'Deployed in 3 s',
    'monkey business',
    'https://example.com/a?b=c',
    'key: value',
    'Error: no such file',
  ]) {
    assert.equal(maskOutput(text, []), text)
  }
})

test('values of variables with secret-like names are masked in every usual encoding', () => {
  const secrets = secretValues({
    DEPLOY_TOKEN: 'a b"c/d',
    PATH: '/usr/bin',
    MY_KEY: 'true',
    API_SECRET: 'abc',
  })
  const text = `a b"c/d ${encodeURIComponent('a b"c/d')} ${JSON.stringify('a b"c/d')} ${btoa('a b"c/d')} /usr/bin true abc`
  assert.equal(maskOutput(text, secrets), '[masked] [masked] "[masked]" [masked] /usr/bin true abc')
})

test('the names of variables decide, and passwords in URLs are secrets under any name', () => {
  const secrets = secretValues({
    GPG_PASSPHRASE: 'phrase-1',
    DB_PASS: 'pass-2',
    MYSQL_PWD: 'pwd-3',
    PWD: '/app/here',
    OLDPWD: '/app',
    DATABASE_URL: 'postgres://app:pass-4@db/shop',
    HOME_PAGE: 'https://example.com/a:b@c',
  })
  const text = 'phrase-1 pass-2 pwd-3 /app/here pass-4 "app" example.com'
  assert.equal(maskOutput(text, secrets), '[masked] [masked] [masked] /app/here [masked] "app" example.com')
})

test('hostile text does not cost time', () => {
  for (const text of [
    '-----BEGIN ',
    '-----END A ',
    'password=',
    'a://',
    'bearer ',
    '-u a:',
    'eyJaaaaaaaa.',
    'token ',
  ]) {
    const startedAt = performance.now()
    maskOutput(text.repeat(20_000), [])
    assert.ok(performance.now() - startedAt < 5000, text)
  }
})

test('a secret of several lines is masked line by line too', () => {
  const secrets = secretValues({ SSH_KEY: 'first-line\nsecond-line\n' })
  assert.equal(maskOutput('x second-line y', secrets), 'x [masked] y')
})

test('a secret that holds another is masked whole', () => {
  const secrets = secretValues({ A_TOKEN: 'abcd', B_TOKEN: 'abcdefgh' })
  assert.equal(maskOutput('abcdefgh', secrets), '[masked]')
})

test('escape sequences and control characters go, tabs and line ends stay', () => {
  assert.equal(
    stripControls('\u001b[1;31mred\u001b[0m\t\u001b]0;title\u0007x\u001b(B\ny\u0000\u009b'),
    'red\tx\ny',
  )
})

test('whatever is printed: the output is well-formed, bounded, and holds no known secret', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'binary' }),
      fc.string({ minLength: 8, unit: 'grapheme-ascii' }),
      (noise, raw) => {
        // Of a URL only what looks random is a secret.
        const secret = `s7${raw.replaceAll(/\s/g, '_').replaceAll('://', '_//')}e`
        const output =
          formatOutput(`${noise}\n${secret}${noise}`, 40, secretValues({ A_SECRET: secret })) ?? ''
        assert.ok(!output.includes(secret))
        assert.ok(output.isWellFormed() && Buffer.byteLength(JSON.stringify(output)) <= 64 * 1024)
      },
    ),
    { numRuns: 2000 },
  )
})

test('only the last lines are shown, and nothing if there are none', () => {
  assert.equal(formatOutput('a\nb\nc\n\n', 2, []), 'b\nc')
  assert.equal(formatOutput('a', 0, []), undefined)
  assert.equal(formatOutput('\n \n', 5, []), undefined)
})
