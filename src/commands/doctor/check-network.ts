import { lookup } from 'node:dns/promises'
import { connect as connectTls, type TLSSocket } from 'node:tls'
import type { Config } from '../../config/load.ts'
import type { ProxyConfig } from '../../config/proxy.ts'
import { classifyError } from '../../core/network-error.ts'
import { describeAnswer, type Answer } from '../../core/outcome.ts'
import { chooseProxy } from '../../delivery/proxy.ts'
import { TLS_OPTIONS } from '../../delivery/tls-options.ts'
import { hostAndPort } from '../../delivery/host-and-port.ts'
import type { Transport } from '../../delivery/transport.ts'
import { failed, ok, warning, type Finding } from './finding.ts'

/** How far the clock may be off, in milliseconds: PagerDuty's `Date` has whole seconds, and an answer takes time. */
const MAX_SKEW_MS = 30_000
/** A certificate that expires sooner causes a warning. */
const SOON_DAYS = 14
const DAY_MS = 86_400_000

/** Checks proxy, DNS and TLS of a server. Behind a proxy, its name is resolved instead, and the POSTs check the certificate. */
export async function checkServer(
  check: string,
  baseUrl: string,
  { proxy, timeoutMs }: { proxy: ProxyConfig; timeoutMs: number },
): Promise<Finding[]> {
  const chosen = chooseProxy(baseUrl, proxy)
  const { hostname } = new URL(chosen?.url ?? baseUrl)
  const way = ok('proxy', chosen === undefined ? `none for ${check}` : `${chosen.variable} for ${check}`)
  const name = await checkName(hostname)
  const isDirectTls = chosen === undefined && baseUrl.startsWith('https:')
  return [
    way,
    name,
    ...(isDirectTls && name.status === 'ok' ? [await checkCertificate(baseUrl, timeoutMs)] : []),
  ]
}

async function checkName(hostname: string): Promise<Finding> {
  try {
    const { address } = await lookup(hostname.replace(/^\[(.+)\]$/, '$1'))
    return ok('DNS', `${hostname} is ${address}`)
  } catch (error) {
    return failed('DNS', 'undelivered', {
      detail: `${hostname}: ${classifyError(error).reason}`,
      advice: 'check the name servers of this machine or container, and the region and URL settings',
    })
  }
}

async function checkCertificate(baseUrl: string, timeoutMs: number): Promise<Finding> {
  const { hostname, port } = new URL(baseUrl)
  try {
    const socket = await openTls(hostname.replace(/^\[(.+)\]$/, '$1'), Number(port || 443), timeoutMs)
    const { valid_to: end, issuer } = socket.getPeerCertificate()
    const protocol = socket.getProtocol() ?? 'TLS'
    socket.destroy()
    const days = Math.floor((Date.parse(end) - Date.now()) / DAY_MS)
    const detail = `${hostname}: ${protocol}, trusted, by ${String(issuer.O ?? issuer.CN)}, for ${days} more days`
    return days < SOON_DAYS ? warning('TLS', detail, 'have its owner renew it') : ok('TLS', detail)
  } catch (error) {
    return failed('TLS', 'undelivered', {
      detail: `${hostname}: ${classifyError(error).reason}, server ${hostAndPort(baseUrl)}`,
      advice:
        'if a proxy intercepts TLS, set NODE_EXTRA_CA_CERTS to its CA certificate; otherwise check firewall and clock',
    })
  }
}

function openTls(host: string, port: number, timeoutMs: number): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const socket = connectTls({ ...TLS_OPTIONS, host, port, servername: host, timeout: timeoutMs })
    socket.once('secureConnect', () => resolve(socket))
    socket.once('error', reject)
    socket.once('timeout', () => socket.destroy(Object.assign(new Error('timeout'), { code: 'ETIMEDOUT' })))
  })
}

/** An empty POST, which the Events API must refuse with 400; it pages nobody. */
export async function checkEndpoints(
  transport: Transport,
  { delivery }: Config,
  signal: AbortSignal,
): Promise<Finding[]> {
  const { eventsUrl, relay, timeoutMs, secrets } = delivery
  const headers = {
    'content-type': 'application/json',
    ...(relay?.token && { authorization: `Bearer ${relay.token.reveal()}` }),
  }
  const probe = async (path: string): Promise<{ finding: Finding; answer?: Answer }> => {
    const request = { method: 'POST', url: eventsUrl + path, headers, body: Buffer.from('{}') } as const
    const result = await transport.exchange(request, timeoutMs, signal)
    if (result.kind === 'failed') {
      const detail = `${path}: ${result.outcome.reason}`
      const advice = 'check network, proxy and firewall: HTTPS to this host must be allowed'
      return { finding: failed('endpoint', 'undelivered', { detail, advice }) }
    }
    const { answer } = result
    if (answer.status === 400) return { finding: ok('endpoint', `${path} answers`), answer }
    const detail = `${path} answers ${describeAnswer(answer, secrets)} instead of the 400 that an empty event must get`
    const isDown = answer.status === 429 || answer.status >= 500
    const advice =
      relay === undefined
        ? 'check PAGERDUTY_EVENTS_URL and the proxy, or try again later'
        : 'check PAGERDUTY_RELAY_URL and PAGERDUTY_RELAY_TOKEN'
    return { finding: failed('endpoint', isDown ? 'undelivered' : 'refused', { detail, advice }), answer }
  }
  const probes = await Promise.all(['/v2/enqueue', '/v2/change/enqueue'].map(probe))
  const [date] = probes.flatMap(({ answer }) => answer?.headers.date ?? [])
  return [...probes.map(({ finding }) => finding), ...(date === undefined ? [] : [checkClock(date)])]
}

function checkClock(date: string): Finding {
  const skewMs = Date.now() - Date.parse(date)
  const seconds = Math.round(Math.abs(skewMs) / 1000)
  if (!(Math.abs(skewMs) > MAX_SKEW_MS)) return ok('clock', `within ${seconds} s of the server's`)
  const detail = `${seconds} s ${skewMs > 0 ? 'ahead of' : 'behind'} the server's`
  return warning('clock', detail, 'set this machine’s clock (NTP): events carry its time')
}

/** Whether a relay accepts events. */
export async function checkRelay(
  transport: Transport,
  { eventsUrl, timeoutMs, secrets }: Config['delivery'],
  signal: AbortSignal,
): Promise<Finding> {
  const request = { method: 'GET', url: `${eventsUrl}/readyz`, headers: {} } as const
  const result = await transport.exchange(request, timeoutMs, signal)
  if (result.kind === 'answered' && result.answer.status === 200) return ok('relay', 'is ready')
  const isReached = result.kind === 'answered'
  const detail = isReached
    ? `/readyz answers ${describeAnswer(result.answer, secrets)}`
    : result.outcome.reason
  const advice = isReached
    ? 'see its log, or check PAGERDUTY_RELAY_URL'
    : 'start it (serve), or check PAGERDUTY_RELAY_URL'
  return failed('relay', 'undelivered', { detail, advice })
}
