import { closeSync, openSync, readSync } from 'node:fs'

/** libuv's number for a process among its handle types, and where `uv_process_t` keeps what (64 bits; uv.h, stable in 1.x). */
const TYPE_PROCESS = 10
const TYPE_AT = 16
const PID_AT = 104
const STATUS_AT = 128
const PROCESS_BYTES = 136

/** What of a status of wait(2) says that a signal ended the process: its number, beside the bit of a core dump. */
const SIGNAL_BITS = 0x7f
/** glibc's SIGRTMIN; it keeps the two before it for itself. */
const FIRST_REAL_TIME = 34

interface LibuvHandle {
  readonly type: string
  readonly pid?: number
  readonly address: string
}

/** Tells by which signal a child ended of which Node says no more than that its exit status is 0. */
export interface WaitStatus {
  /** Looks for where the status will be: 2 ms that are better spent while the child runs. */
  readonly prepare: () => void
  /**
   * The signal's number; undefined if there was none, or this system does not let us know. To be called from a listener
   * of the child's `exit`, since libuv forgets the child right after it.
   */
  readonly signal: () => number | undefined
}

/**
 * Node reports a signal by its name only and has none for real-time signals: a child that SIGRTMIN killed looks as if it had
 * succeeded (`signo_string` in node/src/api/utils.cc). libuv keeps the status of waitpid(2) in the child's handle, whose
 * address is in Node's diagnostic report; so it is read there, from our own memory. What is not found exactly as
 * expected counts as no signal. A process in between that waits would cost each start, and change what the command sees.
 */
export function watchWaitStatus(pid: number): WaitStatus {
  let address: number | undefined
  const find = (): number | undefined => (address ??= handleAddress(pid))
  return {
    prepare: find,
    signal: () => {
      const handle = find()
      return handle === undefined ? undefined : readSignal(handle, pid)
    },
  }
}

/** What shells call a signal that Node has no name for, such as `SIGRTMIN+6`. */
export function signalName(number: number): string {
  return number < FIRST_REAL_TIME ? `signal ${number}` : `SIGRTMIN+${number - FIRST_REAL_TIME}`
}

function handleAddress(pid: number): number | undefined {
  try {
    const { report } = process
    // Neither is of use here: one asks name servers, the other repeats secrets.
    Object.assign(report, { excludeNetwork: true, excludeEnv: true })
    const { libuv } = report.getReport() as unknown as { readonly libuv: readonly LibuvHandle[] }
    const handle = libuv.find((one) => one.type === 'process' && one.pid === pid)
    return handle && Number(handle.address)
  } catch {
    return undefined
  }
}

function readSignal(address: number, pid: number): number | undefined {
  try {
    const fd = openSync('/proc/self/mem', 'r')
    try {
      const handle = new DataView(new ArrayBuffer(PROCESS_BYTES))
      if (readSync(fd, handle, 0, PROCESS_BYTES, address) < PROCESS_BYTES) return undefined
      const isOurs = readInt(handle, TYPE_AT) === TYPE_PROCESS && readInt(handle, PID_AT) === pid
      const signal = readInt(handle, STATUS_AT) & SIGNAL_BITS
      return isOurs && signal !== 0 && signal !== SIGNAL_BITS ? signal : undefined
    } finally {
      closeSync(fd)
    }
  } catch {
    return undefined // no /proc, or one that does not let us
  }
}

function readInt(view: DataView, offset: number): number {
  return view.getInt32(offset, IS_LITTLE_ENDIAN)
}

const IS_LITTLE_ENDIAN = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1
