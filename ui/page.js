import { ask, now } from './api.js'
import { deliveriesView } from './deliveries.js'
import { deliveryView } from './delivery.js'
import { deploymentsView, deploymentView } from './deployments.js'
import { tell } from './dialog.js'
import { all, byId, clockTime, refreshTimes, when } from './dom.js'
import { follow } from './live.js'
import { nowView } from './now.js'
import { relayView } from './relay.js'

/** @import { Change, Headline, Status } from './shapes.d.ts' */

/** @typedef {(action: () => Promise<unknown>) => Promise<unknown>} Act does something, and says if it failed */

/**
 * What a view needs of the page.
 * @typedef {object} Context
 * @property {Readonly<Record<string, string>>} query filters, from the address
 * @property {() => Promise<Status>} refreshStatus
 * @property {() => boolean} mayAct
 * @property {Act} act
 */

/**
 * @typedef {object} View
 * @property {string} title
 * @property {HTMLElement} element
 * @property {() => Promise<unknown>} load reads what it shows, first or again
 * @property {(change: Change) => boolean | undefined} [changed] shows a change; returns whether the view has to load again. Default: it has to
 */

const LISTS = { now: nowView, deployments: deploymentsView, deliveries: deliveriesView, relay: relayView }
const DETAILS = { deliveries: deliveryView, deployments: deploymentView }

/** The pause between two loads: longer while more changes than anybody can read. */
const CALM_MS = 100
const BUSY_MS = 2000

/** @type {Status} */
let status
/** @type {View} */
let view
/** @type {(() => void) | undefined} */
let stop
let isLoading = false
let isStale = false

const live = byId('live')
const stale = byId('stale')
const pause = byId('pause')
const main = byId('main')

async function refreshStatus() {
  status = /** @type {Status} */ (await ask('/status'))
  showHeadline(status.headline)
  return status
}

/** @param {Error} error */
function fail(error) {
  if (error.cause === 401 && stop) location.reload() // to log in again
  if (!isLost()) stale.textContent = error.message // the lost connection is why, and says since when
}

/** @type {Act} */
const act = (action) =>
  action().catch((/** @type {Error} */ error) => tell('That did not work', error.message))

const TONES = { ok: 'ok', waiting: 'wait', dead: 'bad', unavailable: 'bad' }

/** @param {Headline} headline */
function showHeadline({ state, text, since }) {
  const element = byId('headline')
  element.className = TONES[state]
  if (element.textContent !== text) element.textContent = text // so that a screen reader does not repeat it
  byId('since').replaceChildren(...(since ? [`since ${clockTime(since)}, `, when(since) ?? ''] : []))
}

/** @param {string} state @param {string} text @param {string} [problem] */
function showLive(state, text, problem = '') {
  live.dataset['state'] = state
  live.textContent = text
  stale.textContent = problem
}

function isLost() {
  return live.dataset['state'] === 'lost'
}

/** @param {string} text */
function lose(text) {
  if (!isLost()) showLive('lost', text, `Connection lost at ${clockTime(now())}; what you see may be old.`)
}

function route() {
  const [path = '', search] = location.hash.slice(1).split('?')
  const [name = '', id] = path.split('/')
  const current = /** @type {keyof typeof LISTS} */ (Object.hasOwn(LISTS, name) ? name : 'now')
  const query = Object.fromEntries(new URLSearchParams(search))
  const context = { query, refreshStatus, mayAct: () => status.may_act, act }
  const detail = id && DETAILS[/** @type {keyof typeof DETAILS} */ (current)]
  view = detail ? detail(context, Number(id)) : LISTS[current](context)
  document.title = `${view.title} · pagerduty-alert`
  byId('title').textContent = view.title
  for (const each of all('nav a'))
    each.ariaCurrent = each.getAttribute('href') === `#${current}` ? 'page' : null
  const focused = document.activeElement?.getAttribute('name')
  byId('view').replaceChildren(view.element)
  if (focused) all(`[name="${focused}"]`)[0]?.focus()
  void load()
}

async function load() {
  try {
    await view.load()
    if (!isLost()) stale.textContent = ''
  } catch (error) {
    fail(/** @type {Error} */ (error))
  }
}

/** Loads again, and once more if something changes in between. @param {number} [pauseMs] */
async function loadSoon(pauseMs = CALM_MS) {
  isStale = true
  if (isLoading) return
  isLoading = true
  while (isStale) {
    isStale = false
    await load()
    await new Promise((resolve) => setTimeout(resolve, pauseMs))
  }
  isLoading = false
}

function reload() {
  refreshStatus().then(() => loadSoon(), fail)
}

function connect() {
  stop = follow({
    change: (change) => {
      showHeadline(change.headline)
      const isNews = change.more || change.events.length > 0
      if (isNews && (view.changed?.(change) ?? true)) void loadSoon(change.more ? BUSY_MS : CALM_MS)
    },
    reset: reload,
    state: (state) => {
      if (state !== 'live') return lose(state)
      if (isLost()) reload()
      showLive('live', 'Live')
    },
  })
}

function start() {
  refreshStatus().then(begin, (/** @type {Error} */ error) => {
    fail(error)
    setTimeout(start, BUSY_MS)
  })
}

function begin() {
  for (const part of all('nav, .live')) part.hidden = false
  byId('leave').hidden = !status.is_logged_in
  route()
  connect()
  setInterval(refreshTimes, 10_000)
  setInterval(() => stop && refreshStatus().catch(() => lose('Not connected')), 30_000) // a connection may die silently
}

/** @param {string | null} token */
function logIn(token) {
  ask('/ui/session', { token }).then(
    () => location.reload(),
    (/** @type {Error} */ { message }) => {
      byId('login-problem').textContent = message
      if (login.hidden) void tell('That did not work', message)
    },
  )
}

/** Logs in if the address is that of a link with a token. */
function logInByLink() {
  const [, token] = location.hash.split('#token=')
  if (!token) return
  history.replaceState(undefined, '', '/')
  // Somebody may have typed it as it is: `decodeURIComponent` would throw at a `%`.
  logIn(new URLSearchParams(`token=${token.replaceAll(/[+&]/g, encodeURIComponent)}`).get('token'))
}

pause.onclick = () => {
  if (stop) {
    stop()
    stop = undefined
    showLive('paused', 'Paused')
  } else {
    connect()
    reload()
  }
  pause.ariaPressed = String(!stop)
}
byId('leave').onclick = () => act(() => ask('/ui/session', undefined, 'DELETE').then(() => location.reload()))

const field = /** @type {HTMLInputElement} */ (byId('token'))
const login = /** @type {HTMLFormElement} */ (byId('login'))
login.onsubmit = () => {
  logIn(field.value)
  field.value = ''
  return false
}
byId('skip').onclick = () => {
  main.focus()
  return false // its address is not that of a view
}
onhashchange = () => {
  logInByLink()
  if (!view) return
  route()
  if (document.activeElement === document.body) main.focus() // what had the focus is gone
}
logInByLink()
if (login.hidden) start()
else field.focus()
