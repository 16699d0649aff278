/*
 * Tokens whose beginning shows the issuer. Each expression is tried only where a word begins, ends in a run of
 * characters that it takes whole, and has no other unbounded repetition, so that the search is linear. The facts are those
 * that the issuers publish for secret scanning, as gitleaks, trufflehog and secretlint know them too.
 */

const CODE_HOSTS = [
  /gh[pousr]_\w{20,}/, // GitHub
  /github_pat_\w{20,}/,
  /gl(?:pat|dt|rt|rtr|cbt|ptt|ft|imt|agent|oas|soat|ffct|wt)-[\w-]{16,}(?:\.[\w.-]{5,})?/, // GitLab
  /GR1348941[\w-]{20,}/,
  /AT(?:ATT3|CTT3|BB)[\w=-]{24,}/, // Atlassian, Bitbucket
  /[A-Za-z0-9]{76}AZDO[A-Za-z0-9]{4}/, // Azure DevOps
]

const CLOUDS = [
  /(?:AKIA|ASIA|AROA|AIDA|AGPA|ANPA|ANVA|ABIA|ACCA)[A-Z0-9]{16}(?![A-Za-z0-9])/, // AWS
  /ABSK[A-Za-z0-9+/]{60,}={0,2}/,
  /(?:IQoJb3JpZ2lu|FwoGZXIvYXdz|FQoGZXIvYXdz)[A-Za-z0-9+/%=]{20,}/,
  /amzn\.(?:mws|oa2-cs)\.[\w.-]{20,}/,
  /AIza[\w-]{35}/, // Google
  /GOCSPX-[\w-]{20,}/,
  /ya29\.[\w-]{20,}/,
  /1\/\/0[\w-]{30,}/,
  /AAAA[\w-]{7}:[\w-]{100,}/,
  /[\w~.]{3}\dQ~[\w~.-]{31,}/, // Microsoft Entra ID
  /(?<![A-Za-z0-9+/])[A-Za-z0-9+/]{76}\+ASt[A-Za-z0-9+/]{5}={0,2}/, // Azure storage, batch, Cosmos DB, functions, search, registries
  /(?<![A-Za-z0-9+/])[A-Za-z0-9+/]{30,76}(?:\+ABa|ACDb|\+ASb|\+AEh|\+ARm|\+ACR|AIoT|AzCa)[A-Za-z0-9+/]{5,6}={0,2}/,
  /(?<![\w-])[\w-]{40,48}(?:AzFu|AzSe)[\w-]{5,6}={0,2}/,
  /[A-Za-z0-9]{52}JQQJ9[9D][A-Za-z0-9]{4,30}/,
  /LTAI[A-Za-z0-9]{12,}/, // Alibaba
  /AKID[A-Za-z0-9]{28,}/, // Tencent
  /do[opr]_v1_[0-9a-f]{64}/, // DigitalOcean
  /HRKU-[\w-]{36,}/, // Heroku
  /(?:FlyV1 )?fm[12][ar]?_[\w+/=-]{60,}/, // Fly.io
  /fo1_[\w-]{40,}/,
  /nf[pcoub]_[A-Za-z0-9]{36,}/, // Netlify
  /vc[pirak]_[A-Za-z0-9]{24,}/, // Vercel
  /rnd_[A-Za-z0-9]{28,}/, // Render
  /tk-us-[\w-]{48}/, // Scalingo
  /v1\.0-[0-9a-f]{24}-[0-9a-f]{146}/, // Cloudflare
  /t1\.[A-Z0-9a-z_-]{20,}={0,2}\.[\w-]{60,}={0,2}/, // Yandex
  /AQVN[\w-]{35,}/,
  /sha256~[\w-]{40,}/, // OpenShift
  /token-[a-z0-9]{5}:[a-z0-9]{50,}/, // Rancher
  /SWMTKN-1-[a-z0-9]{40,}-[a-z0-9]{20,}/, // Docker Swarm
]

const PACKAGES = [
  /npm_[A-Za-z0-9]{36,}/,
  /pypi-[\w-]{40,}/,
  /rubygems_[0-9a-f]{48}/,
  /cio[A-Za-z0-9]{32}(?![A-Za-z0-9])/, // crates.io
  /oy2[a-z0-9]{43}(?![A-Za-z0-9])/, // NuGet
  /CLOJARS_[a-z0-9]{60}/,
  /dckr_(?:pat|oat)_[\w-]{20,}/, // Docker Hub
  /snyk_(?:uat|sat)\.[\w.-]{20,}/,
  /vercel_blob_rw_[A-Za-z0-9]{10,}_[A-Za-z0-9]{20,}/,
  /AKCp[A-Za-z0-9]{60,}/, // Artifactory
  /cmVmdGtuO[A-Za-z0-9]{50,}/,
]

const MESSAGES = [
  /xox[abceoprsd]-[\w%-]{10,}/, // Slack
  /xoxe\.xox[bp]-[\w-]{20,}/,
  /xapp-\d-[\w-]{20,}/,
  /\d{8,10}:AA[\w-]{32,}/, // Telegram
  /[MNO][\w-]{23,25}\.[\w-]{6}\.[\w-]{27,}/, // Discord
  /SG\.[\w-]{16,32}\.[\w-]{16,}/, // SendGrid
  /(?<![\w./-])key-[0-9a-f]{32}(?![A-Za-z0-9])/, // Mailgun
  /[0-9a-f]{32}-us\d{1,2}(?![\w-])/, // Mailchimp
  /x(?:keys|smtps)ib-[0-9a-f]{64}-[A-Za-z0-9]{16}/, // Brevo
  /SK[0-9a-f]{32}(?![A-Za-z0-9])/, // Twilio
  /re_[A-Za-z0-9]{8}_[A-Za-z0-9]{20,}/, // Resend
  /EAA[A-Za-z0-9]{80,}/, // Meta
  /A{20,24}[A-Za-z0-9]{0,40}%[A-Za-z0-9%]{40,}/, // X
  /sl\.(?:u\.)?[\w-]{100,}/, // Dropbox
  /pd(?:us|eu)\+[\w+-]{20,}/, // PagerDuty
  /u\+[\w-]{18}(?![\w-])/,
]

const PAYMENTS = [
  /(?:sk|rk)_(?:live|test|prod)_[A-Za-z0-9]{10,}/, // Stripe, Clerk, Paystack
  /whsec_[\w+/=-]{20,}/,
  /sq0[a-z]{3}-[\w-]{22,}/, // Square
  /EAAA[\w-]{56,}/,
  /access_token\$(?:production|sandbox)\$[0-9a-z]{16}\$[0-9a-f]{32}/, // Braintree
  /access-(?:sandbox|development|production)-[0-9a-f-]{36}/, // Plaid
  /shp(?:at|ca|pa|ss|tka|ua)_[0-9A-Za-z]{32,}/, // Shopify
  /FLWSECK(?:_TEST)?-[\w-]{12,}/, // Flutterwave
  /rzp_(?:live|test)_[A-Za-z0-9]{14,}/, // Razorpay
  /shippo_(?:live|test)_[0-9a-f]{40}/,
  /EZ[AT]K[A-Za-z0-9]{50,}/, // EasyPost
  /(?:live|test)_[0-9a-f]{35}(?![A-Za-z0-9])/, // Lob
  /duffel_(?:live|test)_[\w=-]{40,}/,
  /secret-token:[\w%.~+/=-]{8,}/, // RFC 8959
]

const MACHINE_LEARNING = [
  /sk-(?:proj|svcacct|admin|ant|or|None|lf)-[\w-]{20,}/, // OpenAI, Anthropic, OpenRouter
  /sk-[A-Za-z0-9]{32,}/,
  /hf_[A-Za-z0-9]{30,}/, // Hugging Face
  /api_org_[A-Za-z0-9]{30,}/,
  /r8_[A-Za-z0-9]{37,}/, // Replicate
  /gsk_[A-Za-z0-9]{48,}/, // Groq
  /pplx-[A-Za-z0-9]{40,}/, // Perplexity
  /xai-[A-Za-z0-9]{60,}/,
  /lsv2_(?:pt|sk)_[0-9a-f]{32}_[0-9a-f]{10}/, // LangSmith
  /sk_[0-9a-f]{48}(?![0-9a-f])/, // ElevenLabs
  /pcsk_[A-Za-z0-9_]{40,}/, // Pinecone
]

const OPERATIONS = [
  /hv[sbr]\.[\w-]{20,}/, // Vault
  /s\.(?=[A-Za-z]{0,23}\d)(?=[a-z0-9]{0,23}[A-Z])(?=[A-Z0-9]{0,23}[a-z])[A-Za-z0-9]{24}(?![\w.-])/,
  /[A-Za-z0-9]{14}\.atlasv1\.[\w-]{50,}/, // HCP Terraform
  /pul-[0-9a-f]{40}/, // Pulumi
  /dp\.(?:pt|st|sa|ct|scim|audit)\.[\w.-]{30,}/, // Doppler
  /ops_eyJ[\w+/=-]{100,}/, // 1Password
  /A3-[A-Z0-9]{6}-(?:[A-Z0-9]{5,11}-){3,5}[A-Z0-9]{5}/,
  /AGE-SECRET-KEY-1[0-9A-Z]{50,}/,
  /tskey-[a-z]{2,12}-[\w-]{10,}/, // Tailscale
  /phx_[A-Za-z0-9_-]{40,}/, // PostHog
  /bk(?:ua|ct|aj|pt)_[0-9a-f]{40}/, // Buildkite
  /CCIP(?:AT|RJ)_[A-Za-z0-9]{16,}_[0-9a-f]{40}/, // CircleCI
  /(?:pat|sat)\.[\w-]{22}\.[0-9a-f]{24}\.[A-Za-z0-9]{20}/, // Harness
  /API-[A-Z0-9]{25,}/, // Octopus Deploy
  /pn[ub]_[A-Za-z0-9]{36}/, // Prefect
  /sq[pua]_[0-9a-f]{40}/, // SonarQube
  /sntrys_eyJ[\w+/=-]{40,}/, // Sentry
  /sntry[ua]_[0-9a-f]{64}/,
  /NR(?:AK|AA|II|JS|BR|RA)-[A-Za-z0-9-]{19,}/, // New Relic
  /[0-9a-f]{36}NRAL/,
  /glsa_[A-Za-z0-9]{32}_[0-9a-f]{8}/, // Grafana
  /glc_[A-Za-z0-9+/]{32,}={0,3}/,
  /eyJrIjoi[A-Za-z0-9]{40,}={0,2}/,
  /dt0[a-z]\d{2}\.[A-Z0-9]{24}\.[A-Z0-9]{64}/, // Dynatrace
  /hc[a-z]ik_[a-z0-9]{50,}/, // Honeycomb
  /(?:sdk|mob|api)-[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}/, // LaunchDarkly
  /sgp_[A-Za-z0-9_]{40,}/, // Sourcegraph, Segment
  /perm:[\w=]{4,}\.[\w=]{4,}\.[\w=]{20,}/, // JetBrains
]

const DATA = [
  /dapi[0-9a-f]{32}(?:-\d)?/, // Databricks
  /pscale_(?:tkn|oauth|pw)_[\w=.-]{30,}/, // PlanetScale
  /napi_[a-z0-9]{40,}/, // Neon
  /npg_[A-Za-z0-9]{10,}/,
  /sbp_[0-9a-f]{40}/, // Supabase
  /sb_secret_[\w-]{20,}/,
  /mdb_sa_sk_[\w-]{30,}/, // MongoDB Atlas
  /pat[A-Za-z0-9]{14}\.[0-9a-f]{64}/, // Airtable
]

const OFFICE = [
  /lin_(?:api|oauth)_[A-Za-z0-9]{32,}/, // Linear
  /secret_[A-Za-z0-9]{43}/, // Notion
  /ntn_[A-Za-z0-9]{40,}/,
  /fig[duo][a-z]?_[\w-]{35,}/, // Figma
  /PMAK-[0-9a-f]{24}-[0-9a-f]{34}/, // Postman
  /CFPAT-[\w-]{40,}/, // Contentful
  /tfp_[\w.=-]{40,}/, // Typeform
  /rdme_[a-z0-9]{60,}/, // ReadMe
  /fio-u-[\w=-]{60,}/, // Frame.io
  /aio_[A-Za-z0-9]{28}/, // Adafruit
  /pat-(?:na|eu|ap)\d-[0-9a-f-]{36}/, // HubSpot
  /00D[A-Za-z0-9]{12,15}![\w.]{60,}/, // Salesforce
  /sk\.eyJ[\w-]{20,}\.[\w-]{10,}/, // Mapbox
]

/** A PEM block of a private key in Base64, as Kubernetes and CI variables hold it. */
const PEM_IN_BASE64 =
  /LS0tLS1CRUdJTiB(?:QUklWQVRF|SU0EgUFJJ|FQyBQUklW|EU0EgUFJJ|PUEVOU1NI|FTkNSWVBU|QR1AgUFJJ)[A-Za-z0-9+/]{20,}={0,2}/

/** JSON Web Tokens: two parts of JSON in Base64, and a signature, which may be empty. */
const JSON_WEB_TOKEN = /(?<![\w-])eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*/

/** Every shape of a token, to be found where a word begins. */
export const TOKEN_SHAPES: readonly RegExp[] = [
  ...CODE_HOSTS,
  ...CLOUDS,
  ...PACKAGES,
  ...MESSAGES,
  ...PAYMENTS,
  ...MACHINE_LEARNING,
  ...OPERATIONS,
  ...DATA,
  ...OFFICE,
  JSON_WEB_TOKEN,
  PEM_IN_BASE64,
]
