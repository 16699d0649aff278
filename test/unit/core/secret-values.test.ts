import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { maskOutput } from '../../../src/core/mask-output.ts'
import { isSecretName, secretValues } from '../../../src/core/secret-values.ts'

const VALUE = 'Zq7/x9+Kw3="y\\5é'

const ENCODINGS: readonly (readonly [name: string, encode: (value: string) => string])[] = [
  ['as it is', (value) => value],
  ['percent-encoded', encodeURIComponent],
  [
    'percent-encoded in lower case',
    (value) => encodeURIComponent(value).toLowerCase().replace('zq', 'Zq').replace('kw', 'Kw'),
  ],
  ['as a whole, percent-encoded', (value) => Buffer.from(value).toString('hex').replaceAll(/../g, '%$&')],
  ['inside JSON', (value) => JSON.stringify(value)],
  ['inside JSON inside JSON', (value) => JSON.stringify(JSON.stringify(value))],
  ['in Base64', (value) => Buffer.from(value).toString('base64')],
  ['in Base64 with a line end', (value) => Buffer.from(`${value}\n`).toString('base64')],
  ['in Base64, one further', (value) => Buffer.from(`x${value}`).toString('base64')],
  ['in Base64, two further', (value) => Buffer.from(`xy${value}z`).toString('base64')],
  ['in Base64 for URLs', (value) => Buffer.from(`user:${value}`).toString('base64url')],
  [
    'in Base64 over several lines',
    (value) => Buffer.from(`user:${value}`).toString('base64').replaceAll(/.{5}/g, '$&\n'),
  ],
  ['in hexadecimal', (value) => Buffer.from(value).toString('hex')],
  ['in upper-case hexadecimal', (value) => Buffer.from(value).toString('hex').toUpperCase()],
  ['as od prints it', (value) => Buffer.from(value).toString('hex').replaceAll(/../g, ' $&')],
  ['as bytes of C', (value) => Buffer.from(value).toString('hex').replaceAll(/../g, '\\x$&')],
]
describe('a known secret is masked', () => {
  for (const [name, encode] of ENCODINGS) {
    test(name, () => {
      const masked = maskOutput(`before ${encode(VALUE)} after`, secretValues({ DEPLOY_TOKEN: VALUE }))
      assert.match(masked, /^before [^[]{0,9}\[masked\][^[]{0,4} after$/)
    })
  }
})

test('the name of a variable says whether its value is a secret', () => {
  const secret =
    'A_TOKEN npmToken API_SECRET SSH_KEY DB_PASS DBPASS MYSQL_PWD GPG_PASSPHRASE AUTH_HEADER NPM_CONFIG__AUTH CONNECTION_STRING ' +
    'SLACK_WEBHOOK_URL KUBECONFIG KUBECONFIG_DATA SENTRY_DSN AWS_CREDENTIALS GCP_CREDS DOCKER_AUTH_CONFIG JWT SIGNATURE dbPassword'
  const harmless =
    'PATH HOME AUTHOR GIT_AUTHOR_NAME CI_COMMIT_AUTHOR COMPASS MONKEY KEYBOARD SECRET_NAME TOKEN_TYPE KEY_FILE AUTHORITY'
  for (const name of secret.split(' ')) assert.ok(isSecretName(name), name)
  for (const name of harmless.split(' ')) assert.ok(!isSecretName(name), name)
})

const FOUND: readonly (readonly [name: string, value: string, printed: string])[] = [
  ['CONNECTION_STRING', 'Server=db;User ID=app;Password=x7y8z9w0;', 'x7y8z9w0'],
  ['SLACK_WEBHOOK_URL', 'https://hooks.slack.com/services/T1/B2/Xy7Zw8Qk9Lm1', 'Xy7Zw8Qk9Lm1'],
  [
    'SENTRY_DSN',
    'https://0123456789abcdef0123456789abcdef@o1.ingest.sentry.io/2',
    '0123456789abcdef0123456789abcdef',
  ],
  ['DATABASE_URL', 'postgres://app:p%40ss7w@db/shop', 'p@ss7w'],
  ['DATABASE_DSN', 'app:x7/y8@z9@tcp(db:3306)/shop', 'x7/y8@z9'],
  ['KUBECONFIG', 'apiVersion: v1\nusers:\n- user:\n    token: Xy7Zw8Qk9Lm1Np2Rs3', 'Xy7Zw8Qk9Lm1Np2Rs3'],
  [
    'SERVICE_ACCOUNT_KEY',
    '{"type":"x","private_key_id":"0f1e2d3c4b5a69788796a5b4c3d2e1f0"}',
    '0f1e2d3c4b5a69788796a5b4c3d2e1f0',
  ],
  ['SSH_KEY', 'first-line-1\nsecond-line-2\n', 'second-line-2'],
  ['NPM_AUTH', Buffer.from('jane:Xy7Zw8Qk').toString('base64'), 'Xy7Zw8Qk'],
  ['BASIC_AUTH', 'jane:Xy7Zw8Qk', 'Xy7Zw8Qk'],
  ['DB_PASS', 'hunter2', 'hunter2'],
  ['DB_PASS', '836152', '836152'],
  ['JAVA_OPTS', '-Xmx1g -Ddb.password=Xy7Zw8Qk', 'Xy7Zw8Qk'],
]
for (const [name, value, printed] of FOUND) {
  test(`what is secret in ${name} is masked: ${printed}`, () => {
    assert.equal(
      maskOutput(`got '${printed}' at last`, secretValues({ [name]: value })),
      "got '[masked]' at last",
    )
  })
}

const KEPT: readonly (readonly [name: string, value: string, text: string])[] = [
  ['MY_KEY', 'true', 'true enough'],
  ['SECRET_ENV', 'production', 'deployed to production'],
  ['TOKEN_LIFETIME', '3600', 'waited 3600 s'],
  ['KEY_COUNT', '3', 'step 3 of 3'],
  ['TOKEN_TTL', '86400000', '86400000 ms'],
  ['API_SECRET', 'abc', 'abcabc'],
  ['DB_PASS', 'test', 'the latest tests'],
  ['SSH_AUTH_SOCK', '/tmp/ssh-XXXX/agent.12', 'ls /tmp/ssh-XXXX/agent.12'],
  ['TOKEN_URL', 'https://login.example.com/oauth2/token', 'POST https://login.example.com/oauth2/token'],
  ['SIGNING_KEYS', '/run/secrets/keys', '/run/secrets/keys: not found'],
  ['A_PASSWORD', 'changeme', 'changeme'],
  ['SECRET_WORD', 'hippopotamus', 'hippopotamuses'],
  [
    'KUBECONFIG',
    'apiVersion: v1\nclusters:\n- cluster:\n    server: https://k8s.example.com',
    'clusters: 1 at https://k8s.example.com',
  ],
  ['API_KEY_VERSION', 'v1.2.3', 'v1.2.3'],
]
for (const [name, value, text] of KEPT) {
  test(`${name}=${value.slice(0, 30)} garbles nothing`, () => {
    assert.equal(maskOutput(text, secretValues({ [name]: value })), text)
  })
}
