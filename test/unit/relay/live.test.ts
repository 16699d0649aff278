import assert from 'node:assert/strict'
import { EventEmitter } from 'node:events'
import type { ServerResponse } from 'node:http'
import { test, type TestContext } from 'node:test'
import { createLive, type Live } from '../../../src/relay/live.ts'

interface Viewer {
  readonly response: ServerResponse
  /** What was written to it. */
  readonly texts: string[]
  /** Bytes that it has not read. */
  behind: number
  isGone: boolean
}

function viewer(): Viewer {
  const texts: string[] = []
  const seen: Omit<Viewer, 'response'> = { texts, behind: 0, isGone: false }
  const response = Object.assign(new EventEmitter(), {
    flushHeaders: () => undefined,
    write: (text: string) => texts.push(text),
    end: (text: string) => texts.push(text),
    destroy: () => {
      seen.isGone = true
      response.emit('close')
    },
  })
  Object.defineProperty(response, 'writableLength', { get: () => seen.behind })
  return Object.assign(seen, { response: response as unknown as ServerResponse })
}

interface Setup {
  readonly live: Live
  readonly change: (...ids: readonly number[]) => void
  /** How all stands, and whether another process has changed something. */
  readonly world: { state: string; isForeign: boolean }
}

function start(t: TestContext): Setup {
  t.mock.timers.enable({ apis: ['setTimeout', 'setInterval'] })
  const world = { state: 'ok', isForeign: false }
  let change: Setup['change'] = () => undefined
  const live = createLive({
    onChange: (listener) => {
      change = (...ids) => listener(ids)
    },
    hasForeignChanges: () => {
      const is = world.isForeign
      world.isForeign = false
      return is
    },
    describe: () => Promise.resolve({ state: world.state }),
    describeEvents: (ids) => Promise.resolve(ids.map((id) => ({ id }))),
  })
  return { live, change: (...ids) => change(...ids), world }
}

/** Until everything is sent that can be: messages are described asynchronously. */
async function settled(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve))
}

/** Lets time pass, in steps that leave room for what is asynchronous. */
async function pass(t: TestContext, ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += 50) {
    t.mock.timers.tick(50)
    await settled()
  }
}

interface Data {
  readonly state?: string
  readonly events?: readonly { readonly id: number }[]
  readonly more?: boolean
}

function dataOf(text: string | undefined): Data {
  return JSON.parse(/^data: (.*)$/m.exec(text ?? '')?.[1] ?? 'null') as Data
}

function idOf(text: string | undefined): string {
  return /^id: (.*)$/m.exec(text ?? '')?.[1] ?? ''
}

test('a new viewer reads everything once every change reaches it', async (t) => {
  const { live, change, world } = start(t)
  // It read the page before these.
  change(1)
  world.state = 'waiting'
  const { response, texts } = viewer()
  live.attach(response, undefined)
  await settled()
  assert.match(texts[0] ?? '', /^event: reset$/m)
  await pass(t, 2000)
  assert.equal(texts.length, 1, 'the state is the one that it has read')
})

test('changes that come together are one message', async (t) => {
  const { live, change } = start(t)
  const { response, texts } = viewer()
  live.attach(response, undefined)
  await settled()
  change(1)
  change(2, 1)
  await pass(t, 150)
  assert.equal(texts.length, 2)
  assert.match(texts[1] ?? '', /^id: \w+-2\nevent: change\n/)
  assert.deepEqual(dataOf(texts[1]), { state: 'ok', events: [{ id: 1 }, { id: 2 }] })
})

test('of many changes at once only the last are described, and it says that there are more', async (t) => {
  const { live, change } = start(t)
  const { response, texts } = viewer()
  live.attach(response, undefined)
  await settled()
  change(...Array.from({ length: 400 }, (_, id) => id))
  await pass(t, 150)
  const { events, more } = dataOf(texts[1])
  assert.deepEqual([events?.length, events?.at(-1)?.id, more], [25, 399, true])
})

test('a viewer that comes back is told what it missed, or that this is not known', async (t) => {
  const { live, change } = start(t)
  const first = viewer()
  live.attach(first.response, undefined)
  await settled()
  const seen = idOf(first.texts[0])
  change(7)
  first.response.emit('close')
  const again = viewer()
  live.attach(again.response, seen)
  await settled()
  assert.deepEqual(dataOf(again.texts[0]).events, [{ id: 7 }])
  for (const unknown of ['other-1', 'nonsense', `${seen.split('-')[0]}-99`]) {
    const stranger = viewer()
    live.attach(stranger.response, unknown)
    await settled()
    assert.match(stranger.texts[0] ?? '', /^event: reset$/m, unknown)
  }
})

test('changes of another process are noticed: nobody knows which', async (t) => {
  const { live, world } = start(t)
  const { response, texts } = viewer()
  live.attach(response, undefined)
  await settled()
  const seen = idOf(texts[0])
  world.isForeign = true
  await pass(t, 400)
  assert.deepEqual(dataOf(texts[1]), { state: 'ok', events: [], more: true })
  const again = viewer()
  live.attach(again.response, seen)
  await settled()
  assert.match(again.texts[0] ?? '', /^event: reset$/m)
})

test('how all stands can change without any event', async (t) => {
  const { live, world } = start(t)
  const { response, texts } = viewer()
  live.attach(response, undefined)
  await settled()
  await pass(t, 1000)
  assert.equal(texts.length, 1)
  world.state = 'waiting'
  await pass(t, 1200)
  assert.deepEqual(dataOf(texts[1]), { state: 'waiting', events: [], more: true })
})

test('a viewer that does not read is closed, and the others go on', async (t) => {
  const { live, change } = start(t)
  const [stalled, other] = [viewer(), viewer()]
  live.attach(stalled.response, undefined)
  await settled()
  live.attach(other.response, undefined)
  await settled()
  stalled.behind = 70_000
  change(1)
  await pass(t, 150)
  assert.deepEqual([stalled.isGone, stalled.texts.length, other.texts.length], [true, 1, 2])
})

test('a connection without changes carries a comment now and then', async (t) => {
  const { live } = start(t)
  const { response, texts } = viewer()
  live.attach(response, undefined)
  await settled()
  t.mock.timers.tick(30_000)
  assert.deepEqual(texts.slice(1), [': still here\n\n', ': still here\n\n'])
})

test('a hundred viewers are enough, and nobody begins to look at a relay that ends', async (t) => {
  const { live } = start(t)
  const viewers = Array.from({ length: 100 }, viewer)
  for (const { response } of viewers) {
    assert.equal(live.isFull(), false)
    live.attach(response, undefined)
    await settled()
  }
  assert.equal(live.isFull(), true)
  viewers[0]?.response.emit('close')
  assert.equal(live.isFull(), false)
  live.end()
  assert.equal(live.isFull(), true)
  assert.match(viewers[1]?.texts.at(-1) ?? '', /^event: bye$/m)
})
