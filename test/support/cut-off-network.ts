import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import type { NodeNetwork } from './postgres.ts'
import { BIN } from './program.ts'

/** A network of its own in which `localhost` is this machine, at the other end of a cable that can be cut for a port. */
export interface CutOffNetwork extends NodeNetwork {
  /** Starts a relay in it, and waits until it listens. */
  readonly startRelay: (env: Readonly<Record<string, string>>) => Promise<NetworkRelay>
  /** Loses every packet from and to a port of this machine. */
  readonly cut: (port: number) => void
  readonly reconnect: () => void
  readonly remove: () => void
}

export interface NetworkRelay {
  readonly url: string
  readonly log: () => string
  readonly kill: () => Promise<void>
}

/** Makes one, for tests with the requirement `namespaces`. */
export function makeCutOffNetwork(): CutOffNetwork {
  const name = `pagerduty-alert-cut-${process.pid}`
  const files = `/etc/netns/${name}`
  const cable = `pd${process.pid}`
  const subnet = `10.213.${process.pid % 256}`
  const [here, there] = [`${subnet}.1`, `${subnet}.2`]
  const inside = (...command: string[]): string => ip('netns', 'exec', name, ...command)
  const remove = (): void => {
    try {
      ip('netns', 'del', name) // and the cable with it
    } catch {
      // it was not made, or is gone already
    }
    rmSync(files, { recursive: true, force: true })
  }
  process.once('exit', remove) // even if the test run is aborted
  try {
    // A relay uses TLS for every other name.
    mkdirSync(files, { recursive: true })
    writeFileSync(`${files}/hosts`, `${here} localhost\n`)
    ip('netns', 'add', name)
    ip('link', 'add', cable, 'type', 'veth', 'peer', 'name', 'host', 'netns', name)
    ip('addr', 'add', `${here}/30`, 'dev', cable)
    ip('link', 'set', cable, 'up')
    ip('-n', name, 'addr', 'add', `${there}/30`, 'dev', 'host')
    ip('-n', name, 'link', 'set', 'host', 'up')
    ip('-n', name, 'link', 'set', 'lo', 'up')
  } catch (error) {
    remove()
    throw error
  }
  return {
    command: ['ip', 'netns', 'exec', name],
    machine: here,
    startRelay: async (env) => {
      const child = spawn('ip', ['netns', 'exec', name, process.execPath, BIN, 'serve'], {
        env: { PAGERDUTY_RELAY_HOST: there, PAGERDUTY_RELAY_PORT: '0', PATH: process.env['PATH'], ...env },
        stdio: ['ignore', 'pipe', 'pipe'],
      })
      let log = ''
      child.stderr.setEncoding('utf8').on('data', (text: string) => (log += text))
      const url = await firstLine(child, () => log)
      return {
        url,
        log: () => log,
        kill: async () => {
          if (child.kill('SIGKILL')) await once(child, 'close')
        },
      }
    },
    cut: (port) => {
      inside('iptables', '-A', 'OUTPUT', '-p', 'tcp', '--dport', String(port), '-j', 'DROP')
      inside('iptables', '-A', 'INPUT', '-p', 'tcp', '--sport', String(port), '-j', 'DROP')
    },
    reconnect: () => void inside('iptables', '-F'),
    remove,
  }
}

function ip(...args: readonly string[]): string {
  return execFileSync('ip', args, { stdio: 'pipe', encoding: 'utf8' })
}

async function firstLine({ stdout, ...child }: ChildProcess, log: () => string): Promise<string> {
  return await new Promise((resolve, reject) => {
    stdout?.setEncoding('utf8').once('data', (text: string) => resolve(text.trim()))
    stdout?.once('end', () => reject(new Error(`the relay ended: ${child.exitCode} ${log()}`)))
  })
}
