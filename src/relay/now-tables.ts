import { isoTime } from '../core/iso-time.ts'
import { shortCommit } from '../core/summary.ts'
import type { DeploymentEntry } from '../spool/deployment-log.ts'
import type { ListedEvent } from '../spool/listing.ts'
import type { RelayDeps } from './context.ts'
import type { Headline } from './headline.ts'
import { currentHeadline, unlessStoreFails } from './overview.ts'

/** The current state, for browsers that run no script. */
export interface Now {
  readonly headline: Headline
  readonly atMs: number
  /** Dead events, then those that wait. */
  readonly events: readonly ListedEvent[]
  readonly deployments: readonly DeploymentEntry[]
}

/** Rows of each kind. */
const MOST = 20

/** Reads the current state. */
export async function readNow(deps: RelayDeps): Promise<Now> {
  const { spool, deployments, now } = deps
  const find = async (status: 'dead' | 'pending'): Promise<ListedEvent[]> =>
    (await unlessStoreFails(() => spool?.find({ statuses: [status], limit: MOST }))) ?? []
  return {
    headline: await currentHeadline(deps),
    atMs: now(),
    events: [...(await find('dead')), ...(await find('pending'))],
    deployments: (await unlessStoreFails(() => deployments.list({ isCurrent: true, limit: 2 * MOST }))) ?? [],
  }
}

/** The current state as HTML, with everything that comes from outside as text. */
export function nowTables({ headline, atMs, events, deployments }: Now): string {
  const at = timeOf(atMs)
  return [
    `<p class="big ${SIGN_OF_STATE[headline.state]}">${escapeHtml(headline.text)}</p>`,
    `<p class="dim">As of ${at}. Reload the page to see what is new. Filters, details and actions need JavaScript.</p>`,
    table(
      'Events that PagerDuty does not have',
      ['Accepted', 'Event', 'Status', 'Last answer'],
      events.map(eventCells),
    ),
    table(
      'Deployments: the latest of each environment, and its last success',
      ['When', 'What', 'Environment', 'Outcome', 'In PagerDuty'],
      deployments.map(deploymentCells),
    ),
  ].join('\n')
}

const SIGN_OF_STATE = {
  ok: 'sign ok',
  waiting: 'sign wait',
  dead: 'sign bad',
  unavailable: 'sign bad',
} as const

/** Words and classes as the page's script has them. */
const SIGNS: Readonly<Record<string, readonly [string, string]>> = {
  pending: ['wait', 'waiting'],
  waiting: ['wait', 'waiting'],
  delivered: ['ok', 'delivered'],
  dead: ['bad', 'dead'],
  started: ['wait', 'running'],
  success: ['ok', 'succeeded'],
  failure: ['bad', 'failed'],
  cancelled: ['none', 'cancelled'],
}

function eventCells({ acceptedAtMs, summary, dedupKey, kind, status, reason }: ListedEvent): string[] {
  return [
    timeOf(acceptedAtMs),
    escapeHtml(summary ?? dedupKey ?? kind),
    sign(status),
    escapeHtml(reason ?? ''),
  ]
}

function deploymentCells(entry: DeploymentEntry): string[] {
  const { repository, identity, commit, environment = '', committer, message, state, told } = entry
  const what = [repository ?? identity, shortCommit(commit)].filter(Boolean).join('@')
  const about = [message, committer !== undefined && `by ${committer}`].filter(Boolean).join(' · ')
  return [
    timeOf(entry.endedAtMs ?? entry.startedAtMs),
    `${escapeHtml(what)}<small>${escapeHtml(about)}</small>`,
    escapeHtml(environment),
    sign(state),
    told === undefined ? '' : sign(told),
  ]
}

/** @param rows cells as HTML; the second of each says what the row is about */
function table(caption: string, heads: readonly string[], rows: readonly (readonly string[])[]): string {
  if (rows.length === 0) return ''
  const cell = (content: string, index: number): string => {
    if (index === 1) return `<th scope="row">${content}</th>`
    return content === '' ? '<td></td>' : `<td data-label="${heads[index]}">${content}</td>`
  }
  const head = heads.map((name) => `<th scope="col">${name}</th>`).join('')
  const body = rows.map((cells) => `<tr>${cells.map(cell).join('')}</tr>`).join('\n')
  return `<section><table><caption>${caption}</caption><thead><tr>${head}</tr></thead><tbody>${body}</tbody></table></section>`
}

function sign(state: string): string {
  const [kind, word] = SIGNS[state] ?? ['none', state]
  return `<span class="sign ${kind}">${word}</span>`
}

/** `2026-11-27 10:56 UTC`: without a script nothing counts the minutes. */
function timeOf(timeMs: number | undefined): string {
  const iso = isoTime(timeMs)
  return iso === undefined ? '' : `<time datetime="${iso}">${iso.slice(0, 16).replace('T', ' ')} UTC</time>`
}

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }

/** A text that is nothing but text, between tags and in quoted attributes. */
function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"]/g, (character) => ENTITIES[character] ?? '')
}
