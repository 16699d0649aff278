import { Failure } from '../core/failure.ts'

/**
 * Waits for a promise, but not for longer than that, and not after the signal.
 * @throws Failure of kind `undelivered` if it takes longer
 */
export async function within<T>(timeoutMs: number, promise: Promise<T>, signal?: AbortSignal): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  let interrupt = (): void => undefined
  const over = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(
      () => reject(new Failure('undelivered', `the fleet did not answer within ${timeoutMs / 1000} s`)),
      timeoutMs,
    )
    interrupt = () => reject(new Failure('undelivered', 'interrupted'))
    signal?.addEventListener('abort', interrupt)
    if (signal?.aborted === true) interrupt()
  })
  promise.catch(() => undefined) // it may fail after the time is over
  try {
    return await Promise.race([promise, over])
  } finally {
    clearTimeout(timer)
    signal?.removeEventListener('abort', interrupt)
  }
}

/** Waits until work has ended in any way, but not for longer than that. */
export async function unlessLong(timeoutMs: number, work: Promise<unknown>): Promise<void> {
  await within(timeoutMs, work).catch(() => undefined)
}
