/** Characters that look random and are the same in every run. No real token is stored anywhere. */
function createChance(seed: number): (alphabet: string, length: number) => string {
  let state = seed
  const next = (): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state >>> 8
  }
  return (alphabet, length) =>
    Array.from({ length }, () => alphabet.charAt(next() % alphabet.length)).join('')
}

const chance = createChance(20_260_301)
const LOWER = 'abcdefghijklmnopqrstuvwxyz'
const DIGITS = '0123456789'
const UPPER = LOWER.toUpperCase()

export const hex = (length: number): string => chance('0123456789abcdef', length)
export const digits = (length: number): string => chance(DIGITS, length)
export const lower = (length: number): string => chance(LOWER + DIGITS, length)
export const upper = (length: number): string => chance(UPPER + DIGITS, length)
export const letters = (length: number): string => chance(LOWER + UPPER + DIGITS, length)
export const url64 = (length: number): string => `${letters(length - 1)}_`
export const base64 = (length: number): string => `${chance(`${LOWER}${UPPER}${DIGITS}+/`, length)}`
export const uuid = (): string =>
  [8, 4, 4, 4, 12].map((length, index) => (index === 2 ? `4${hex(3)}` : hex(length))).join('-')
const json64 = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
const jwt = (): string =>
  `${json64({ alg: 'HS256', typ: 'JWT' })}.${json64({ sub: letters(12) })}.${url64(43)}`

/** A line of output, and what must not be left of it. */
export interface SecretForm {
  readonly name: string
  readonly text: string
  readonly secret: string
}

/** Tokens that say what they are, each in the middle of a sentence. */
const TOKENS: readonly (readonly [name: string, token: string])[] = [
  ...['ghp', 'gho', 'ghu', 'ghs', 'ghr'].map((kind) => [`GitHub ${kind}`, `${kind}_${letters(36)}`] as const),
  ['GitHub fine-grained', `github_pat_${letters(22)}_${letters(59)}`],
  ...['pat', 'dt', 'rt', 'cbt', 'ptt', 'ft', 'imt', 'agent', 'oas', 'soat'].map(
    (kind) => [`GitLab ${kind}`, `gl${kind}-${url64(20)}`] as const,
  ),
  ['GitLab routable', `glpat-${url64(27)}.01.${lower(9)}`],
  ['GitLab runner registration', `GR1348941${url64(20)}`],
  ['Atlassian', `ATATT3xFfGF0${url64(170)}=${upper(8)}`],
  ['Bitbucket', `ATBB${letters(32)}`],
  ['Azure DevOps', `${letters(76)}AZDO${letters(4)}`],
  ['AWS access key id', `AKIA${upper(16)}`],
  ['AWS temporary key id', `ASIA${upper(16)}`],
  ['AWS session token', `IQoJb3JpZ2luX2VjE${base64(200)}`],
  ['AWS Bedrock', `ABSK${base64(120)}`],
  ['Google API', `AIza${letters(35)}`],
  ['Google OAuth client', `GOCSPX-${letters(28)}`],
  ['Google OAuth access', `ya29.${url64(120)}`],
  ['Google OAuth refresh', `1//0${url64(60)}`],
  ['Firebase', `AAAA${letters(7)}:APA91b${letters(134)}`],
  ['Entra ID', `${letters(3)}8Q~${letters(34)}`],
  ['Azure storage', `${letters(76)}+ASt${letters(5)}==`],
  ['Azure Cosmos DB', `${letters(76)}ACDb${letters(6)}==`],
  ['Azure functions', `${letters(44)}AzFu${letters(6)}==`],
  ['Azure OpenAI', `${letters(52)}JQQJ99${letters(26)}`],
  ['Alibaba', `LTAI${letters(20)}`],
  ['Tencent', `AKID${letters(32)}`],
  ['DigitalOcean', `dop_v1_${hex(64)}`],
  ['DigitalOcean OAuth', `doo_v1_${hex(64)}`],
  ['Heroku', `HRKU-${uuid()}`],
  ['Fly.io', `fm2_${base64(120)}`],
  ['Netlify', `nfp_${letters(36)}`],
  ['Vercel', `vcp_${letters(24)}`],
  ['Render', `rnd_${letters(32)}`],
  ['Cloudflare origin CA', `v1.0-${hex(24)}-${hex(146)}`],
  ['OpenShift', `sha256~${letters(43)}`],
  ['Rancher', `token-${lower(5)}:${lower(54)}`],
  ['Docker Swarm', `SWMTKN-1-${lower(50)}-${lower(25)}`],
  ['npm', `npm_${letters(36)}`],
  ['PyPI', `pypi-AgEIcHlwaS5vcmc${url64(120)}`],
  ['RubyGems', `rubygems_${hex(48)}`],
  ['crates.io', `cio${letters(32)}`],
  ['NuGet', `oy2${lower(43)}`],
  ['Clojars', `CLOJARS_${lower(60)}`],
  ['Docker Hub', `dckr_pat_${letters(27)}`],
  ['Artifactory', `AKCp${letters(69)}`],
  ['Slack bot', `xoxb-${digits(12)}-${digits(12)}-${letters(24)}`],
  ['Slack user', `xoxp-${digits(12)}-${digits(12)}-${digits(12)}-${hex(32)}`],
  ['Slack app', `xapp-1-A${upper(10)}-${digits(12)}-${hex(64)}`],
  ['Slack refresh', `xoxe-1-${letters(140)}`],
  ['Slack configuration', `xoxe.xoxp-1-${letters(160)}`],
  ['Telegram', `${digits(10)}:AA${letters(33)}`],
  ['Discord bot', `M${letters(25)}.${letters(6)}.${letters(38)}`],
  ['SendGrid', `SG.${letters(22)}.${letters(43)}`],
  ['Mailchimp', `${hex(32)}-us12`],
  ['Mailgun', `key-${hex(32)}`],
  ['Brevo', `xkeysib-${hex(64)}-${letters(16)}`],
  ['Twilio', `SK${hex(32)}`],
  ['Resend', `re_${letters(8)}_${letters(24)}`],
  ['Meta', `EAAC${letters(120)}`],
  ['X', `AAAAAAAAAAAAAAAAAAAAA${letters(20)}%3D${letters(50)}`],
  ['Dropbox', `sl.${url64(136)}`],
  ['PagerDuty REST', `u+${letters(18)}`],
  ['PagerDuty OAuth', `pdus+_0XBPWQQ_${letters(40)}`],
  ['Stripe', `sk_live_${letters(24)}`],
  ['Stripe test', `sk_test_${letters(99)}`],
  ['Stripe restricted', `rk_live_${letters(24)}`],
  ['Stripe webhook', `whsec_${letters(32)}`],
  ['Square', `sq0atp-${letters(22)}`],
  ['Square OAuth', `sq0csp-${letters(43)}`],
  ['Braintree', `access_token$production$${lower(16)}$${hex(32)}`],
  ['Plaid', `access-production-${uuid()}`],
  ['Shopify', `shpat_${hex(32)}`],
  ['Flutterwave', `FLWSECK_TEST-${lower(32)}-X`],
  ['Razorpay', `rzp_live_${letters(14)}`],
  ['Shippo', `shippo_live_${hex(40)}`],
  ['EasyPost', `EZAK${letters(54)}`],
  ['Lob', `live_${hex(35)}`],
  ['Duffel', `duffel_live_${url64(43)}`],
  ['RFC 8959', `secret-token:${letters(30)}`],
  ['OpenAI', `sk-${letters(20)}T3BlbkFJ${letters(20)}`],
  ['OpenAI project', `sk-proj-${url64(120)}`],
  ['Anthropic', `sk-ant-api03-${url64(93)}AA`],
  ['OpenRouter', `sk-or-v1-${hex(64)}`],
  ['Hugging Face', `hf_${letters(34)}`],
  ['Replicate', `r8_${letters(37)}`],
  ['Groq', `gsk_${letters(52)}`],
  ['Perplexity', `pplx-${letters(48)}`],
  ['xAI', `xai-${letters(80)}`],
  ['LangSmith', `lsv2_pt_${hex(32)}_${hex(10)}`],
  ['Vault service', `hvs.${url64(95)}`],
  ['Vault batch', `hvb.${url64(140)}`],
  ['Vault before 1.10', `s.aB3${letters(21)}`],
  ['HCP Terraform', `${letters(14)}.atlasv1.${letters(67)}`],
  ['Pulumi', `pul-${hex(40)}`],
  ['Doppler', `dp.pt.${letters(43)}`],
  ['1Password', `ops_eyJ${letters(250)}`],
  ['age', `AGE-SECRET-KEY-1${upper(58)}`],
  ['Tailscale', `tskey-auth-${letters(17)}-${letters(32)}`],
  ['Buildkite', `bkua_${hex(40)}`],
  ['CircleCI', `CCIPAT_${letters(22)}_${hex(40)}`],
  ['Harness', `pat.${letters(22)}.${hex(24)}.${letters(20)}`],
  ['Octopus Deploy', `API-${upper(27)}`],
  ['Prefect', `pnu_${letters(36)}`],
  ['SonarQube', `sqp_${hex(40)}`],
  ['Sentry organization', `sntrys_eyJ${letters(80)}_${letters(43)}`],
  ['Sentry user', `sntryu_${hex(64)}`],
  ['New Relic', `NRAK-${upper(27)}`],
  ['New Relic license', `${hex(36)}NRAL`],
  ['Grafana service account', `glsa_${letters(32)}_${hex(8)}`],
  ['Grafana Cloud', `glc_${letters(90)}`],
  ['Dynatrace', `dt0c01.${upper(24)}.${upper(64)}`],
  ['LaunchDarkly', `sdk-${uuid()}`],
  ['JetBrains', `perm:${letters(12)}.${letters(8)}.${letters(30)}`],
  ['Databricks', `dapi${hex(32)}`],
  ['PlanetScale', `pscale_tkn_${letters(43)}`],
  ['Neon', `napi_${lower(64)}`],
  ['Supabase', `sbp_${hex(40)}`],
  ['Supabase secret', `sb_secret_${letters(31)}`],
  ['Airtable', `pat${letters(14)}.${hex(64)}`],
  ['Linear', `lin_api_${letters(40)}`],
  ['Notion', `ntn_${letters(46)}`],
  ['Notion before 2024', `secret_${letters(43)}`],
  ['Figma', `figd_${letters(40)}`],
  ['Postman', `PMAK-${hex(24)}-${hex(34)}`],
  ['Contentful', `CFPAT-${letters(43)}`],
  ['HubSpot', `pat-na1-${uuid()}`],
  ['Mapbox', `sk.eyJ${letters(40)}.${letters(22)}`],
  ['JSON Web Token', jwt()],
  ['JSON Web Token without signature', `${jwt().split('.').slice(0, 2).join('.')}.`],
  ['a bcrypt hash', `$2b$12$${letters(53)}`],
  ['a SHA-512 crypt hash', `$6$${letters(16)}$${letters(86)}`],
  ['an Apache hash', `$apr1$${letters(8)}$${letters(22)}`],
]

const PASSWORD = `Tr0ub4dor&${letters(6)}`
const PLAIN = letters(14)
const form = (name: string, before: string, secret: string, after = ''): SecretForm => ({
  name,
  text: `${before}${secret}${after}`,
  secret,
})

const PLACES: readonly SecretForm[] = [
  form('a URL password', 'postgres://app:', PLAIN, '@db.internal:5432/shop'),
  form('a URL password with @', 'postgres://app:', 'p@ss7@w0rd', '@db/shop'),
  form('a URL password with /', 'postgres://app:', 'x7/y8/z9', '@db/shop'),
  form('a URL password with #', 'mongodb+srv://app:', 'x7#y8z9', '@cluster0.example.net/'),
  form('a URL password with ?', 'redis://:', 'x7?y8=z9', '@cache:6379/0'),
  form('a URL password with all of them', 'amqp://u:', 'a@b/c#d?e:7', '@mq:5672/vhost'),
  form('a URL password of digits', 'mysql://root:', '84756321', '@db/shop'),
  form('a web URL password', 'cloning https://jane:', 'x7y8z9', '@git.example/acme/shop.git'),
  form('a token as a URL user', 'https://', letters(40), '@github.com/acme/shop'),
  form('a URL inside JSON', '{"url":"https:\\/\\/u:', PLAIN, '@host\\/path"}'),
  form('a URL inside a URL', 'https://example.com/?next=https://u:', PLAIN, '@host/'),
  form('password=', 'password=', PASSWORD),
  form('a quoted password with a blank', 'password="', 'correct horse battery', '"'),
  form('a password in single quotes with a blank', "PGPASSWORD='", 'correct horse 7', "' psql"),
  form('DB_PASS=', 'DB_PASS=', 'hunter2'),
  form('dbPass:', 'dbPass: ', PLAIN),
  form('DBPASS=', 'export DBPASS=', PLAIN),
  form('MYSQL_PWD=', 'MYSQL_PWD=', PLAIN),
  form('a connection string', 'Server=db;User ID=app;Pwd=', PLAIN, ';Encrypt=yes'),
  form('a connection string with Password', 'Data Source=db;Password=', 'a;b7,c', ';Pooling=true'),
  form(
    'AccountKey',
    'DefaultEndpointsProtocol=https;AccountName=x;AccountKey=',
    `${base64(86)}==`,
    ';EndpointSuffix=core',
  ),
  form('SharedAccessKey', 'Endpoint=sb://x/;SharedAccessKeyName=root;SharedAccessKey=', `${base64(43)}=`),
  form('a SAS signature', 'https://x.blob.core.windows.net/c?sv=2024&sig=', `${letters(43)}%3D`, '&se=2030'),
  form('a presigned URL', 'https://b.s3.amazonaws.com/k?X-Amz-Expires=60&X-Amz-Signature=', hex(64)),
  form('_auth=', '//registry.example/:_auth=', base64(24)),
  form('_authToken=', '//registry.npmjs.org/:_authToken=', uuid()),
  form('_password=', '_password="', base64(20), '"'),
  form('AWS_SECRET_ACCESS_KEY=', 'AWS_SECRET_ACCESS_KEY=', base64(40)),
  form('aws_secret_access_key in a file', 'aws_secret_access_key = ', base64(40)),
  form('a JSON member', '{"apiKey": "', PLAIN, '", "user": "jane"}'),
  form('an escaped JSON member', '{\\"secret\\":\\"', PLAIN, '\\",\\"a\\":1}'),
  form('a YAML entry', '  client_secret: ', PLAIN),
  form('a Ruby hash', ':password => "', PLAIN, '"'),
  form('a property', 'spring.datasource.password=', PLAIN),
  form('a query', 'GET /login?user=jane&access_token=', PLAIN, '&x=1'),
  form('a flag with =', 'deploy --token=', PLAIN),
  form('a flag with a blank', 'deploy --api-key ', PLAIN, ' --verbose'),
  form('a quoted flag', 'deploy --password "', 'two words 7', '"'),
  form('an XML element', '<dbPassword>', PLAIN, '</dbPassword>'),
  form('a Kubernetes variable', '- name: DB_PASSWORD\n  value: ', PLAIN),
  form('an ECS variable', '{"name":"API_TOKEN","value":"', PLAIN, '"}'),
  form('an Authorization header', 'Authorization: Bearer ', url64(40)),
  form('a Basic header', '> authorization: Basic ', base64(32)),
  form('a Token header', '-H "Authorization: Token token=', letters(20), '"'),
  form('a bare header', "'Authorization': '", letters(32), "'"),
  form(
    'a signed AWS header',
    'Authorization: AWS4-HMAC-SHA256 Credential=x/20260301/us-east-1, Signature=',
    hex(64),
  ),
  form('a proxy header', 'Proxy-Authorization: Basic ', base64(24)),
  form('an API key header', 'X-Api-Key: ', PLAIN),
  form('an auth token header', 'X-Auth-Token: ', PLAIN),
  form('a Vault header', 'X-Vault-Token: ', PLAIN),
  form('a cookie', 'Cookie: session=', PLAIN, '; theme=dark'),
  form('a set cookie', '< Set-Cookie: sid=', PLAIN, '; HttpOnly'),
  form('curl -u', 'curl -u jane:', PLAIN, ' https://example.com'),
  form('curl --user with a blank', 'curl --user "jane:', 'two words 7', '" https://example.com'),
  form('mysql -p', 'mysql -u root -p', PLAIN, ' shop'),
  form('sshpass -p', 'sshpass -p ', PLAIN, ' ssh host'),
  form('docker login -p', 'docker login -u jane -p ', PLAIN),
  form('redis-cli -a', 'redis-cli -h cache -a ', PLAIN, ' ping'),
  form('openssl pass:', 'openssl rsa -passin pass:', PLAIN),
  form('.netrc', 'machine example.com login jane password ', PLAIN),
  form('.pgpass', 'db.internal:5432:shop:app:', PLAIN),
  form('a Go MySQL source', 'app:', 'x7@y8/z9', '@tcp(db:3306)/shop'),
  form('a JDBC Oracle source', 'jdbc:oracle:thin:scott/', PLAIN, '@db:1521/x'),
  form('a Slack webhook', 'https://hooks.slack.com/services/', `T${upper(8)}/B${upper(8)}/${letters(24)}`),
  form('a Slack workflow', 'https://hooks.slack.com/workflows/', `T${upper(8)}/A${upper(8)}/${letters(24)}`),
  form('a Discord webhook', 'https://discord.com/api/webhooks/', `${digits(18)}/${letters(68)}`),
  form(
    'a Teams webhook',
    'https://acme.webhook.office.com/webhookb2/',
    `${uuid()}@${uuid()}/IncomingWebhook/${hex(32)}/${uuid()}`,
  ),
  form('a Zapier webhook', 'https://hooks.zapier.com/hooks/catch/', `${digits(7)}/${lower(7)}`),
  form('a Google Chat webhook', 'https://chat.googleapis.com/v1/spaces/A/messages?key=x&token=', letters(43)),
  form('a PagerDuty webhook', 'https://events.pagerduty.com/integration/', hex(32), '/enqueue'),
  form(
    'a Telegram address',
    'https://api.telegram.org/bot',
    `${digits(10)}:AA${letters(33)}`,
    '/sendMessage',
  ),
  form(
    'a private key',
    '',
    `-----BEGIN OPENSSH PRIVATE KEY-----\n${base64(70)}\n${base64(30)}\n-----END OPENSSH PRIVATE KEY-----`,
  ),
  form(
    'a private key in JSON',
    '{"private_key": "',
    `-----BEGIN PRIVATE KEY-----\\n${base64(64)}\\n-----END PRIVATE KEY-----`,
    '\\n"}',
  ),
  form('a private key cut off', '-----BEGIN RSA PRIVATE KEY-----\n', base64(64)),
  form('the end of a private key', '', base64(64), '\n-----END RSA PRIVATE KEY-----'),
  form(
    'a PGP key',
    '-----BEGIN PGP PRIVATE KEY BLOCK-----\n\n',
    base64(64),
    '\n-----END PGP PRIVATE KEY BLOCK-----',
  ),
  form('a PuTTY key', 'Private-Lines: 2\n', base64(64), '\nPrivate-MAC: x'),
]

/** Forms in which secrets are printed, all of which are masked. */
export const SECRET_FORMS: readonly SecretForm[] = [
  ...TOKENS.map(([name, token]) => form(`a token of ${name}`, 'pushed with ', token, ' at last')),
  ...PLACES,
]
