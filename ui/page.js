import { ApiError, ask } from './api.js'
import { deliveriesView } from './deliveries.js'
import { deliveryView } from './delivery.js'
import { deploymentsView, deploymentView } from './deployments.js'
import { tell } from './dialog.js'
import { all, byId, clockTime, refreshTimes, when } from './dom.js'
import { follow } from './live.js'
import { nowView } from './now.js'
import { relayView } from './relay.js'

/** @import { Change, Headline, Status } from './shapes.d.ts' */

/**
 * What a view needs of the page.
 * @typedef {object} Context
 * @property {Record<string, string>} query filters, from the address
 * @property {() => Status} status
 * @property {() => Promise<void>} refreshStatus
 * @property {() => boolean} mayAct
 * @property {(action: () => Promise<unknown>) => Promise<void>} act does something and says if it failed
 * @property {(error: unknown) => void} fail
 */

/**
 * @typedef {object} View
 * @property {string} title
 * @property {HTMLElement} element
 * @property {Promise<unknown>} ready
 * @property {(change: Pick<Change, 'events'>) => void} changed
 */

/** @type {Status | undefined} */
let status
/** @type {View | undefined} */
let view
/** @type {(() => void) | undefined} */
let stop
let isPaused = false

const pause = byId('pause')

async function refreshStatus() {
  status = /** @type {Status} */ (await ask('/status'))
  showHeadline(status.headline)
}

/** @param {unknown} error */
function fail(error) {
  if (error instanceof ApiError && error.status === 401) return showLogin()
  const text = error instanceof Error ? error.message : String(error)
  showStale(text)
  if (!(error instanceof ApiError)) throw error
}

/** @param {() => Promise<unknown>} action */
async function act(action) {
  try {
    await action()
  } catch (error) {
    if (error instanceof ApiError && error.status !== 401) await tell('That did not work', error.message)
    else fail(error)
  }
}

/** @param {Headline} headline */
function showHeadline({ state, text, since }) {
  const element = byId('headline')
  const known = `${state} ${text} ${since ?? ''}`
  if (element.dataset['known'] === known) return
  Object.assign(element.dataset, { state, known })
  element.textContent = text
  byId('since').replaceChildren(
    ...(since === undefined ? [] : [`since ${clockTime(since)}, `, /** @type {Node} */ (when(since))]),
  )
}

/** @param {string | undefined} text */
function showStale(text) {
  byId('stale').hidden = text === undefined
  byId('stale').textContent = text ?? ''
}

/** @param {string} state @param {string} text */
function showLive(state, text) {
  byId('live').dataset['state'] = state
  byId('live').textContent = text
}

function route() {
  const [path = '', search = ''] = location.hash.slice(1).split('?')
  const [name = '', id] = path.split('/')
  /** @type {Context} */
  const context = {
    query: Object.fromEntries(new URLSearchParams(search)),
    status: () => /** @type {Status} */ (status),
    refreshStatus,
    mayAct: () => status?.may_act === true,
    act,
    fail,
  }
  const views = { now: nowView, deployments: deploymentsView, deliveries: deliveriesView, relay: relayView }
  const isKnown = Object.hasOwn(views, name)
  const current = isKnown ? /** @type {keyof typeof views} */ (name) : 'now'
  const number = Number(id)
  if (id !== undefined && current === 'deliveries') view = deliveryView(context, number)
  else if (id !== undefined && current === 'deployments') view = deploymentView(context, number)
  else view = views[current](context)
  document.title = `${view.title} · pagerduty-alert`
  byId('title').textContent = view.title
  for (const link of all('nav a')) {
    if (link.getAttribute('href') === `#${current}`) link.setAttribute('aria-current', 'page')
    else link.removeAttribute('aria-current')
  }
  const focused = document.activeElement?.getAttribute('name')
  byId('view').replaceChildren(view.element)
  if (focused !== null && focused !== undefined) all(`[name="${CSS.escape(focused)}"]`)[0]?.focus()
  view.ready.then(() => showStale(undefined)).catch(fail)
}

function showLogin() {
  stop?.()
  stop = undefined
  byId('login').hidden = false
  for (const part of all('nav, .live')) part.hidden = true
  byId('headline').replaceChildren()
  byId('since').replaceChildren()
  byId('headline').dataset['known'] = ''
  byId('view').replaceChildren()
  byId('token').focus()
}

/** @param {unknown} error */
function showLoginProblem(error) {
  byId('login-problem').textContent = error instanceof Error ? error.message : ''
}

/** @param {string} token */
async function logIn(token) {
  await ask('/ui/session', { method: 'POST', body: { token } })
  await start()
}

/** Reads everything again. */
async function reload() {
  try {
    await refreshStatus()
    if (view?.element.contains(document.activeElement) !== true) route()
  } catch (error) {
    fail(error)
  }
}

function connect() {
  stop = follow({
    change: (change) => {
      showHeadline(change.headline)
      view?.changed(change)
    },
    reset: () => void reload(),
    refused: () => void refreshStatus().catch(fail),
    state: (state) => {
      if (state === 'live') {
        showLive('live', 'Live')
        showStale(undefined)
      } else if (byId('live').dataset['state'] !== 'lost') {
        showLive('lost', state === 'lost' ? 'Not connected' : 'Shutting down')
        showStale(`Connection lost at ${clockTime(Date.now())}; what you see may be old.`)
      }
    },
  })
}

async function start() {
  try {
    await refreshStatus()
  } catch (error) {
    return fail(error)
  }
  byId('login').hidden = true
  for (const part of all('nav, .live')) part.hidden = false
  byId('leave').hidden = status?.is_logged_in !== true
  route()
  if (!isPaused) connect()
}

pause.addEventListener('click', () => {
  isPaused = !isPaused
  pause.setAttribute('aria-pressed', String(isPaused))
  stop?.()
  if (!isPaused) {
    connect()
    void reload()
  } else showLive('paused', 'Paused')
})
byId('leave').addEventListener(
  'click',
  () =>
    void act(async () => {
      await ask('/ui/session', { method: 'DELETE' })
      showLogin()
    }),
)
byId('login').addEventListener('submit', (event) => {
  event.preventDefault()
  const field = /** @type {HTMLInputElement} */ (byId('token'))
  byId('login-problem').textContent = ''
  logIn(field.value).catch(showLoginProblem)
  field.value = ''
})
addEventListener('hashchange', () => {
  if (status !== undefined) route()
})
setInterval(refreshTimes, 10_000)
setInterval(() => {
  if (stop !== undefined)
    void refreshStatus().then(
      () => view?.changed({ events: [] }),
      () => undefined,
    )
}, 30_000)

const token = /^#token=(.+)$/.exec(location.hash)?.[1]
if (token !== undefined) {
  history.replaceState(undefined, '', '/')
  logIn(decodeURIComponent(token)).catch((error) => {
    showLogin()
    showLoginProblem(error)
  })
} else void start()
