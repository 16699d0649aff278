import { isHarmless, isPlainWord } from '../secret-looks.ts'

/** A place where secrets occur. Group 1 is what comes before the secret, and stays. */
export interface Place {
  readonly find: RegExp
  /** Whether the match is a secret; always, if this is absent. */
  readonly isSecret?: (secret: string, before: string) => boolean
}

const mayBeSecret = (secret: string): boolean => !isPlainWord(secret) && !isHarmless(secret)
const endsWithSecretName = (_secret: string, before: string): boolean =>
  /passw|secret|token|credential|api_?key|access_?key|private_?key|connection_?string/i.test(before)

const HEADERS: readonly Place[] = [
  {
    find: /((?<![a-z])(?:proxy-)?authorization\\{0,3}["']?[ \t]{0,4}[:=][ \t]{0,4}\\{0,3}["']?)((?:bearer|basic|token|digest|negotiate|ntlm|apikey|ssws|aws4-hmac-sha256|oauth|sharedkey(?:lite)?|hmac|key|geniekey|bot|splunk)[ \t:]{1,4}[^"'\\\r\n]+|[^\s"',;\\]+)/gi,
    isSecret: mayBeSecret,
  },
  { find: /((?<![a-z])(?:bearer|basic)[ \t]{1,4})([\w+/=.~-]{8,})/gi, isSecret: mayBeSecret },
  {
    find: /((?<![\w-])(?:set-)?cookie["']?:[ \t]{0,4}["']?)([^"'\r\n]+)/gi,
    isSecret: (secret) => secret.includes('='),
  },
  { find: /((?<![\w-])x-jfrog-art-api["']?:[ \t]{0,4})([^\s"']+)/gi },
]

/** Not a group, as `docker run -u` takes it: `1000:1000`, `node:node`. */
const isPassword = (secret: string, before: string): boolean => {
  const user = /[^\s"'=]+(?=:$)/.exec(before)?.[0] ?? ''
  return secret !== user && !/^\d+$/.test(user)
}

const COMMANDS: readonly Place[] = [
  {
    find: /((?<!\S)(?:-u|--(?:proxy-)?user)[ \t=]{1,4}["']?[^\s"':]{1,60}:)([^\s"']+)/g,
    isSecret: isPassword,
  },
  { find: /((?<![\w-])curl[ \t][^\n|;&]{0,200}?(?<=[ \t])-u[^\s"':]{1,60}:)([^\s"']+)/g },
  { find: /((?<!\S)(?:-u|--(?:proxy-)?user)[ \t=]{1,4}"[^\s"':]{1,60}:)([^"\n]+)/g },
  { find: /((?<!\S)(?:-u|--(?:proxy-)?user)[ \t=]{1,4}'[^\s"':]{1,60}:)([^'\n]+)/g },
  {
    find: /((?<!\S)--?[a-z][\w-]{0,60}[ \t]{1,4})(?!-)("[^"\n]{1,500}|'[^'\n]{1,500}|[^\s"']+)/gi,
    isSecret: (secret, before) =>
      /(?:^|[^a-z])(?:pass|passw(?:or)?d|passphrase|pwd|auth|secret|token|credentials?|(?:api|access|secret|private|account|encryption|signing)-?key)(?:-?value)?[ \t]+$/i.test(
        before,
      ) && mayBeSecret(secret),
  },
  { find: /((?<![\w-])(?:mysql|mariadb)[a-z-]{0,10}[ \t][^\n|;&]{0,200}?(?<=[ \t])-p)([^\s"']+)/g },
  {
    find: /((?<![\w-])(?:sshpass|(?:docker|podman|helm|az|oc|skopeo|buildah)[ \t][^\n|;&]{0,40}?login[ \t][^\n|;&]{0,200}?|mongosh?[ \t][^\n|;&]{0,200}?)[ \t]-p[ \t]{0,4}["']?)([^\s"'-][^\s"']*)/g,
  },
  {
    find: /((?<![\w-])(?:redis-cli[ \t][^\n|;&]{0,200}?(?<=[ \t])-a|ldap[a-z]{1,10}[ \t][^\n|;&]{0,200}?(?<=[ \t])-w)[ \t]{1,4}["']?)([^\s"'-][^\s"']*)/g,
  },
  { find: /((?<!\S)(?:-pass(?:in|out)?|-k)[ \t]{1,4}pass:)([^\s"']+)/g },
]

/** Letters of both cases and digits, as a generated password has them. */
const isGenerated = (secret: string): boolean =>
  /\d/.test(secret) && /[a-z]/.test(secret) && /[A-Z]/.test(secret) && !isHarmless(secret)

/** The rest of a fingerprint or a hardware address. */
const isFingerprint = (text: string): boolean => /^[0-9a-f]{2}(?::[0-9a-f]{2}){0,60}$/i.test(text)

const FILES: readonly Place[] = [
  {
    find: /((?<![a-z])password(?: (?:for|of) [^\n:=]{1,60}:| is|[ \t]{0,4}->)[ \t]{1,4}["']?)([^\s"']{8,200})/gi,
    isSecret: isGenerated,
  },
  { find: /((?<![\w-])login[ \t]{1,4}\S{1,100}[ \t]{1,4}password[ \t]{1,4})(\S+)/gi }, // .netrc
  { find: /^([ \t]{0,8}password[ \t]{1,4})(\S+)$/gim, isSecret: mayBeSecret },
  {
    find: /^([ \t]{0,8}[\w.*-]{1,100}:(?:\d{1,5}|\*):[\w.*-]{1,64}:[\w.*-]{1,64}:)(\S+)$/gm,
    isSecret: (secret) => mayBeSecret(secret) && !isFingerprint(secret),
  }, // .pgpass
  {
    find: /()(\$(?:2[abxy]?\$\d\d\$[./A-Za-z0-9]{53}|(?:1|5|6|7|y|gy|apr1|argon2(?:id?|d))\$[\w./,=$+-]{20,}))/g,
  }, // crypt(3)
  {
    find: /(<[\w:.-]{0,40}(?:password|passwd|secret|token|api-?key|passphrase)[\w:.-]{0,20}(?: [^<>]{0,100})?>)([^<]{1,1000})(?=<\/)/gi,
  },
  {
    find: /((?:name|key)\\{0,2}["']?[ \t]{0,4}[:=][ \t]{0,4}\\{0,2}["']?[\w.:-]{1,60}\\{0,2}["']?,?\s{0,12}-?[ \t]{0,4}\\{0,2}["']?value\\{0,2}["']?[ \t]{0,4}[:=][ \t]{0,4}\\{0,2}["']?)([^\s"'\\]+)/gi,
    isSecret: endsWithSecretName,
  },
  { find: /(::add-mask::|##vso\[task\.setvariable [^\]\n]{0,200}issecret=true[^\]\n]{0,200}\])([^\r\n]+)/gi }, // GitHub's and Azure's runners
  { find: /(Private-Lines: \d{1,3}\r?\n)([A-Za-z0-9+/=\r\n]+)/g }, // PuTTY
  { find: /(jdbc:oracle:\w{1,8}:[\w-]{1,64}\/)([^\s"'@]{1,200})(?=@)/gi },
]

/** Addresses that are a secret themselves: anyone who has them can post. */
const WEBHOOKS: readonly Place[] = [
  /(hooks\.slack(?:-gov)?\.com\/(?:services|workflows|triggers)\/)([\w/-]+)/gi,
  /(discord(?:app)?\.com\/api(?:\/v\d+)?\/webhooks\/)([\w/-]+)/gi,
  /((?:webhook\.office\.com\/webhookb2|outlook\.office(?:365)?\.com\/webhook)\/)([\w/@-]+)/gi,
  /(hooks\.zapier\.com\/hooks\/catch\/)([\w/-]+)/gi,
  /(events(?:\.eu)?\.pagerduty\.com\/(?:integration|x-ere|generic\/\d{4}-\d\d-\d\d)\/)([\w+-]+)/gi,
  /(api\.telegram\.org\/bot)([\w:-]+)/gi,
  /(maker\.ifttt\.com\/trigger\/[\w-]{1,80}\/(?:json\/)?with\/key\/)([\w-]+)/gi,
  /((?:feishu\.cn|larksuite\.com)\/open-apis\/bot\/(?:v2\/)?hook\/)([\w-]+)/gi,
  /(\/hooks\/)([a-z0-9]{26})(?![\w-])/g, // Mattermost
  /(hc-ping\.com\/)([\w-]{20,})/gi,
].map((find) => ({ find }))

export const PLACES: readonly Place[] = [...HEADERS, ...COMMANDS, ...FILES, ...WEBHOOKS]
