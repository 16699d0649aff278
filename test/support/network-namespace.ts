import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { mkdirSync, rmdirSync, rmSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { BIN, CODESHIP_PRO, KEY, type Run } from './program.ts'

/** An address (RFC 5737) from which nothing comes back in a namespace of ours. */
export const BLACK_HOLE = '198.51.100.1'
/** The same in IPv6 (RFC 4193). */
export const BLACK_HOLE_6 = 'fd00::1'

const SIMULATOR = fileURLToPath(new URL('../../tools/simulator/main.ts', import.meta.url))

/** A network of its own, with nothing in it but a loopback, a simulated PagerDuty and addresses that do not answer. */
export interface NetworkNamespace {
  /** Port of the simulated PagerDuty on the namespace's 127.0.0.1. */
  readonly port: number
  /** Loses this share of the TCP packets from here on. */
  readonly losePackets: (share: number) => void
  /** How many were lost so far. */
  readonly lostPackets: () => number
  /** Runs the program in it, with a key, for events that go to `url`. */
  readonly run: (args: readonly string[], url: string) => Promise<Run>
  readonly remove: () => void
}

/** What the namespace's processes find in place of the machine's own files. */
export interface NetworkFiles {
  readonly resolv: string
  readonly hosts: string
}

/** Makes a namespace, for tests with the requirement `namespaces`; nothing of it is left when that fails. */
export async function makeNamespace(files: NetworkFiles): Promise<NetworkNamespace> {
  const name = uniqueName()
  let simulator: ChildProcess | undefined
  const remove = (): void => {
    simulator?.kill('SIGKILL')
    removeQuietly(name)
  }
  process.once('exit', remove) // even if the test run is aborted
  try {
    mkdirSync(`/etc/netns/${name}`, { recursive: true })
    writeFileSync(`/etc/netns/${name}/resolv.conf`, files.resolv)
    writeFileSync(`/etc/netns/${name}/hosts`, files.hosts)
    ip('netns', 'add', name)
    ip('-n', name, 'link', 'set', 'lo', 'up')
    ip('-n', name, 'addr', 'add', `${BLACK_HOLE}/32`, 'dev', 'lo')
    ip('-n', name, 'addr', 'add', `${BLACK_HOLE_6}/128`, 'dev', 'lo')
    inside(name, 'iptables', '-A', 'INPUT', '-d', BLACK_HOLE, '-j', 'DROP')
    inside(name, 'ip6tables', '-A', 'INPUT', '-d', BLACK_HOLE_6, '-j', 'DROP')
    simulator = spawn('ip', ['netns', 'exec', name, process.execPath, SIMULATOR])
    const port = await portOf(simulator)
    return {
      port,
      losePackets: (share) => {
        const rule = ['-p', 'tcp', '-m', 'statistic', '--mode', 'random', '--probability', String(share)]
        inside(name, 'iptables', '-A', 'INPUT', ...rule, '-j', 'DROP')
      },
      lostPackets: () => lostPackets(inside(name, 'iptables', '-nvx', '-L', 'INPUT')),
      run: (args, url) => runInside(name, args, url),
      remove,
    }
  } catch (error) {
    remove()
    throw error
  }
}

let made = 0
function uniqueName(): string {
  made += 1
  return `pagerduty-alert-${process.pid}-${made}`
}

function ip(...args: readonly string[]): string {
  return execFileSync('ip', args, { stdio: 'pipe', encoding: 'utf8' })
}

function inside(name: string, ...command: readonly string[]): string {
  return ip('netns', 'exec', name, ...command)
}

/** Packets that the random rules of an iptables listing matched, which are the first number of their lines. */
function lostPackets(listing: string): number {
  const rules = listing.split('\n').filter((line) => line.includes('statistic'))
  return rules.reduce((sum, line) => sum + Number.parseInt(line, 10), 0)
}

function removeQuietly(name: string): void {
  try {
    ip('netns', 'del', name)
  } catch {
    // it was not made, or is gone already
  }
  rmSync(`/etc/netns/${name}`, { recursive: true, force: true })
  try {
    rmdirSync('/etc/netns')
  } catch {
    // others are in it, or it was not made
  }
}

async function portOf(simulator: ChildProcess): Promise<number> {
  let said = ''
  return await new Promise((resolve, reject) => {
    simulator.stdout?.setEncoding('utf8').on('data', (text: string) => {
      said += text
      const port = /simulator on http:\/\/127\.0\.0\.1:(\d+)/.exec(said)?.[1]
      if (port !== undefined) resolve(Number(port))
    })
    simulator.once('error', reject)
    simulator.once('close', () => reject(new Error(`the simulator ended: ${said}`)))
  })
}

async function runInside(name: string, args: readonly string[], url: string): Promise<Run> {
  const startedAtMs = performance.now()
  const child = spawn('ip', ['netns', 'exec', name, process.execPath, BIN, ...args], {
    env: { ...CODESHIP_PRO, PATH: process.env['PATH'], PAGERDUTY_TOKEN: KEY, PAGERDUTY_EVENTS_URL: url },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  return await new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code, signal) =>
      resolve({ code, signal, stdout, stderr, durationMs: performance.now() - startedAtMs }),
    )
  })
}
