import { setTimeout as sleep } from 'node:timers/promises'

/** Waits until a condition holds. @throws after `timeoutMs` */
export async function until(
  condition: () => boolean | Promise<boolean>,
  what: string,
  timeoutMs = 60_000,
): Promise<void> {
  const startedAtMs = performance.now()
  while (!(await condition())) {
    if (performance.now() - startedAtMs > timeoutMs) throw new Error(`waited ${timeoutMs} ms until ${what}`)
    await sleep(5)
  }
}
