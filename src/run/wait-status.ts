import { closeSync, openSync, readSync } from 'node:fs'
import { endianness } from 'node:os'

/**
 * Finds the signal that ended a child when Node does not report it.
 *
 * Why this is needed: Node knows a signal only by its name, and it has no names for real-time signals (`signo_string` in
 * node/src/api/utils.cc). If SIGRTMIN kills the command, Node says exit code 0 and no signal, so a failed deployment would
 * be reported as a success. No API of Node has the raw status of waitpid(2), and it cannot be had any other way without
 * putting another process between us and the command, which would cost time on each start and change what the command sees.
 *
 * What it does instead: libuv stores the status in the child's handle, a C struct in our own memory. Node's diagnostic
 * report lists the address of each handle. The struct is read through `/proc/self/mem`, which is opened for reading only
 * and cannot crash us: an address that is not mapped gives an error. The bytes count only if they look exactly as
 * expected, down to the handle's type, the child's pid, and a signal that Node has no name for. Anything else, another
 * system or another libuv included, means unknown, and then Node's exit code stands.
 */
export interface WaitStatus {
  /** Looks up the address early: the 2 ms that it takes are better spent while the child runs. */
  readonly prepare: () => void
  /**
   * The signal's number; undefined if there was none or it cannot be read. Call it from a listener of the child's `exit`:
   * libuv frees the handle right after.
   */
  readonly signal: () => number | undefined
}

/** Watches the child with this process id. */
export function watchWaitStatus(pid: number): WaitStatus {
  let address: number | undefined
  const find = (): number | undefined => (address ??= handleAddress(pid))
  return {
    prepare: find,
    signal: () => {
      const handle = find()
      const memory = handle === undefined ? undefined : readMemory(handle, PROCESS_BYTES)
      return memory && unnamedSignal(memory, pid)
    },
  }
}

/** The name that shells use for a signal that Node has no name for, such as `SIGRTMIN+6`. */
export function signalName(number: number): string {
  return number < FIRST_REAL_TIME ? `signal ${number}` : `SIGRTMIN+${number - FIRST_REAL_TIME}`
}

/** glibc's SIGRTMIN: the two signals before it are its own. */
const FIRST_REAL_TIME = 34
/** Linux's signals that Node has no name for. */
const UNNAMED = { first: 32, last: 64 } as const

/** `UV_PROCESS` among libuv's handle types. */
const TYPE_PROCESS = 10
/** Offsets in `uv_process_t` on 64-bit Linux, in bytes (uv.h and uv/unix.h; fixed within libuv 1.x by its ABI promise). */
const TYPE_AT = 16
const PID_AT = 104
const STATUS_AT = 128
const PROCESS_BYTES = 136

/**
 * The signal in the memory of a `uv_process_t`, if it is the handle of this child and holds a status as waitpid(2) gives it
 * for an unnamed signal: the number, perhaps the bit of a core dump (0x80), and no other bit.
 */
export function unnamedSignal(memory: DataView, pid: number): number | undefined {
  if (memory.byteLength !== PROCESS_BYTES) return undefined
  const read = (offset: number): number => memory.getInt32(offset, endianness() === 'LE')
  if (read(TYPE_AT) !== TYPE_PROCESS || read(PID_AT) !== pid) return undefined
  const status = read(STATUS_AT)
  const signal = status & ~0x80
  return signal >= UNNAMED.first && signal <= UNNAMED.last ? signal : undefined
}

/** What of Node's diagnostic report is used; nothing is taken for granted, since its format may change. */
interface Report {
  readonly header?: { readonly wordSize?: unknown; readonly componentVersions?: { readonly uv?: unknown } }
  readonly libuv?: readonly { readonly type?: unknown; readonly pid?: unknown; readonly address?: unknown }[]
}

/** The address of the child's handle; undefined unless libuv and the machine are those whose layout is known. */
function handleAddress(pid: number): number | undefined {
  try {
    const { header, libuv } = getReport()
    if (header?.wordSize !== 64 || !String(header.componentVersions?.uv).startsWith('1.')) return undefined
    const address = Number(libuv?.find((handle) => handle.type === 'process' && handle.pid === pid)?.address)
    // A pointer of user space to an aligned struct.
    return Number.isSafeInteger(address) && address > 0 && address % 8 === 0 ? address : undefined
  } catch {
    return undefined
  }
}

/** The report without its two costly or private parts: one asks name servers, the other repeats the environment. */
function getReport(): Report {
  const { report } = process
  const { excludeNetwork, excludeEnv } = report as unknown as Record<string, boolean>
  try {
    Object.assign(report, { excludeNetwork: true, excludeEnv: true })
    return report.getReport()
  } finally {
    Object.assign(report, { excludeNetwork, excludeEnv })
  }
}

function readMemory(address: number, bytes: number): DataView | undefined {
  try {
    const fd = openSync('/proc/self/mem', 'r')
    try {
      const memory = new DataView(new ArrayBuffer(bytes))
      return readSync(fd, memory, 0, bytes, address) === bytes ? memory : undefined
    } finally {
      closeSync(fd)
    }
  } catch {
    return undefined // no /proc, not allowed, or an address that is not mapped
  }
}
