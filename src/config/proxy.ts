import type { Environment } from '../core/build.ts'
import { percentDecode } from '../core/percent-decode.ts'
import { createSecret, type Secret } from '../core/secret.ts'
import { isDirect } from './no-proxy.ts'
import { trimValue, type Reader } from './setting.ts'

/** Proxies from the usual environment variables. Absent means none. */
export interface ProxyConfig {
  readonly httpProxy?: string
  readonly httpsProxy?: string
  readonly noProxy?: string
  /** Variables with an unusable value. They matter only if that proxy would be needed. */
  readonly unusable?: Readonly<Partial<Record<Scheme, string>>>
}

type Scheme = 'http' | 'https'

/**
 * Reads `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY`; the lower-case form wins, as with curl, and blank counts as unset. A path
 * is ignored, as by curl.
 */
export function readProxy(env: Environment): ProxyConfig {
  const find = (name: string): string | undefined =>
    [name.toLowerCase(), name].find((variable) => trimValue(env[variable]) !== '')
  const unusable: Partial<Record<Scheme, string>> = {}
  const read = (scheme: Scheme): string | undefined => {
    const found = find(`${scheme.toUpperCase()}_PROXY`)
    if (found === undefined) return undefined
    const text = trimValue(env[found])
    const url = URL.parse(/^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `http://${text}`) // as curl reads it
    if (url !== null && /^https?:$/.test(url.protocol)) {
      const { protocol, username, password, host } = url
      const user = username === '' && password === '' ? '' : `${username}:${password}@`
      return `${protocol}//${user}${host}`
    }
    unusable[scheme] = found
    return undefined
  }
  const httpProxy = read('http')
  const httpsProxy = read('https')
  const noProxy = trimValue(env[find('NO_PROXY') ?? ''])
  return {
    ...(httpProxy && { httpProxy }),
    ...(httpsProxy && { httpsProxy }),
    ...(noProxy && { noProxy }),
    ...(Object.keys(unusable).length > 0 && { unusable }),
  }
}

/** Reports unusable proxies, if one of these servers is reached through them. */
export function reportProxies(
  reader: Pick<Reader<never>, 'report'>,
  { noProxy = '', unusable = {} }: ProxyConfig,
  baseUrls: readonly string[],
): void {
  const needed = baseUrls
    .filter((baseUrl) => !isDirect(baseUrl, noProxy))
    .map((baseUrl) => new URL(baseUrl).protocol)
  for (const scheme of ['http', 'https'] as const) {
    const variable = unusable[scheme]
    if (variable !== undefined && needed.includes(`${scheme}:`))
      reader.report({
        kind: 'config',
        message: `${variable}: must be a proxy such as http://proxy.example:3128`,
      })
  }
}

/** The user name and password of a proxy's URL, encoded for a Basic authorization header. */
export function proxyCredentials({ username, password }: URL): string | undefined {
  if (username === '' && password === '') return undefined
  return Buffer.from(`${percentDecode(username)}:${percentDecode(password)}`).toString('base64')
}

/** The secrets of the proxies: their passwords, both encoded and decoded, and the header's value. */
export function proxySecrets({ httpProxy, httpsProxy }: ProxyConfig): Secret[] {
  return [httpProxy, httpsProxy].flatMap((proxy) => {
    const url = proxy === undefined ? undefined : new URL(proxy)
    if (url === undefined || url.password === '') return []
    return [url.password, percentDecode(url.password), proxyCredentials(url) ?? ''].map(createSecret)
  })
}
