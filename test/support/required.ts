import { execFileSync } from 'node:child_process'
import { accessSync, constants, existsSync, globSync, readFileSync } from 'node:fs'
import { networkInterfaces } from 'node:os'
import { delimiter, join } from 'node:path'

/*
 * Everything that tests need beyond Node and npm, in one place. What is missing skips the tests that need it, with a
 * reason that says how to get it. With REQUIRE_ALL=1, as in CI, it is a failure instead.
 */

/** Programs by the name that a requirement has: the names of the executable, and the Debian package it comes with. */
const PROGRAMS = {
  alertmanager: [['prometheus-alertmanager', 'alertmanager'], 'prometheus-alertmanager'],
  bash: [['bash'], 'bash'],
  busybox: [['busybox'], 'busybox'],
  chromium: [['chromium', 'chromium-browser', 'google-chrome'], 'chromium'],
  curl: [['curl'], 'curl'],
  dash: [['dash'], 'dash'],
  fish: [['fish'], 'fish'],
  git: [['git'], 'git'],
  initdb: [['initdb'], 'postgresql'],
  ip: [['ip'], 'iproute2'],
  iptables: [['iptables'], 'iptables'],
  jq: [['jq'], 'jq'],
  openssl: [['openssl'], 'openssl'],
  pg_basebackup: [['pg_basebackup'], 'postgresql-client'],
  pg_ctl: [['pg_ctl'], 'postgresql'],
  pgbouncer: [['pgbouncer'], 'pgbouncer'],
  postgres: [['postgres'], 'postgresql'],
  prlimit: [['prlimit'], 'util-linux'],
  promtool: [['promtool'], 'prometheus'],
  python3: [['python3'], 'python3-minimal'],
  script: [['script'], 'bsdutils'],
  shellcheck: [['shellcheck'], 'shellcheck'],
  unshare: [['unshare'], 'util-linux'],
  wget: [['wget'], 'wget'],
  zsh: [['zsh'], 'zsh'],
} as const satisfies Record<string, readonly [names: readonly string[], debianPackage: string]>
export type ProgramName = keyof typeof PROGRAMS

/** Folders with programs that are not on Debian's `PATH`: PostgreSQL's server, and those for root. */
const FURTHER_FOLDERS = ['/usr/lib/postgresql/*/bin', '/usr/local/sbin', '/usr/sbin', '/sbin']

/** Rights and features of the machine: whether they are there, and what is missing if not. */
const FEATURES = {
  docker: [isDockerThere, 'a Docker daemon that this user may use: apt-get install docker.io, and start it'],
  ipv6: [isIpv6There, 'IPv6 on the loopback interface'],
  linux: [() => process.platform === 'linux', 'Linux, for /proc'],
  localhost: [isLocalhostKnown, 'the name localhost in /etc/hosts'],
  mount: [canMount, 'the right to mount file systems: run as root on Linux'],
  namespaces: [canMakeNamespaces, 'network namespaces: run as root on Linux, with iproute2 and iptables'],
  '/dev/full': [() => isWritable('/dev/full'), '/dev/full'],
  '/dev/shm': [() => isWritable('/dev/shm'), 'a writable /dev/shm'],
} as const satisfies Record<string, readonly [isThere: () => boolean, what: string]>
export type Requirement = ProgramName | keyof typeof FEATURES

/**
 * Why tests that need all of these are skipped here: what the first missing one is and how to get it. `false` if
 * nothing is missing.
 * @throws instead of returning a reason, with REQUIRE_ALL=1
 */
export function skipWithout(...requirements: readonly Requirement[]): string | false {
  for (const requirement of requirements) {
    const missing = whatIsMissing(requirement)
    if (missing !== undefined) return skipBecause(missing)
  }
  return false
}

/** Turns "needs X" into the reason of a skip. @throws it, with REQUIRE_ALL=1 */
export function skipBecause(missing: string): string {
  const reason = `needs ${missing}`
  if (process.env['REQUIRE_ALL'] === '1') throw new Error(`${reason} (REQUIRE_ALL=1 lets no test be skipped)`)
  return reason
}

/** The path of a program, or its bare name if it is missing. */
export function programPath(name: ProgramName): string {
  return findProgram(name) ?? PROGRAMS[name][0][0]
}

/** Debian's packages of the programs that are missing here. */
export function missingPackages(): string[] {
  const names = Object.keys(PROGRAMS) as ProgramName[]
  const missing = names.filter((name) => findProgram(name) === undefined)
  return [...new Set(missing.map((name) => PROGRAMS[name][1]))]
}

const known = new Map<Requirement, string | undefined>()

function whatIsMissing(requirement: Requirement): string | undefined {
  if (!known.has(requirement)) known.set(requirement, lookFor(requirement))
  return known.get(requirement)
}

function lookFor(requirement: Requirement): string | undefined {
  if (isProgram(requirement)) {
    if (findProgram(requirement) !== undefined) return undefined
    return `${requirement}: apt-get install ${PROGRAMS[requirement][1]}`
  }
  const [isThere, what] = FEATURES[requirement]
  return isThere() ? undefined : what
}

function isProgram(requirement: Requirement): requirement is ProgramName {
  return requirement in PROGRAMS
}

function findProgram(name: ProgramName): string | undefined {
  const folders = [
    ...(process.env['PATH'] ?? '').split(delimiter).filter(Boolean),
    ...FURTHER_FOLDERS.flatMap((pattern) => (pattern.includes('*') ? globSync(pattern) : pattern)),
  ]
  const paths = PROGRAMS[name][0].flatMap((file) => folders.map((folder) => join(folder, file)))
  return paths.find(isExecutable)
}

function isExecutable(path: string): boolean {
  return isAccessible(path, constants.X_OK)
}

function isWritable(path: string): boolean {
  return isAccessible(path, constants.W_OK)
}

function isAccessible(path: string, mode: number): boolean {
  try {
    accessSync(path, mode)
    return true
  } catch {
    return false
  }
}

/** Whether a command succeeds; one that hangs, as Docker's may without its daemon, does not. */
function succeeds(command: string, ...args: readonly string[]): boolean {
  try {
    execFileSync(command, args, { stdio: 'ignore', timeout: 30_000, killSignal: 'SIGKILL' })
    return true
  } catch {
    return false
  }
}

function isDockerThere(): boolean {
  return succeeds('docker', 'version')
}

function isIpv6There(): boolean {
  return Object.values(networkInterfaces()).some((addresses) =>
    addresses?.some(({ address }) => address === '::1'),
  )
}

function isLocalhostKnown(): boolean {
  return (
    existsSync('/etc/hosts') &&
    /^\s*[\d.:]+\s(?:.*\s)?localhost(?:\s|$)/m.test(readFileSync('/etc/hosts', 'utf8'))
  )
}

function canMount(): boolean {
  const script =
    'd=$(mktemp -d) && mount -t tmpfs -o size=1m tmpfs "$d" && umount --lazy "$d"; s=$?; rmdir "$d"; exit $s'
  return succeeds('sh', '-c', script)
}

function canMakeNamespaces(): boolean {
  const name = `pagerduty-alert-try-${process.pid}`
  try {
    return (
      succeeds('ip', 'netns', 'add', name) &&
      succeeds('ip', 'netns', 'exec', name, 'sh', '-c', 'iptables --list && ip6tables --list')
    )
  } finally {
    succeeds('ip', 'netns', 'del', name)
  }
}
