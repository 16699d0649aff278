/** The processor's time moves in steps of some milliseconds. */
const LONG_MS = 20

/** The quickest of some runs in milliseconds: a disturbance only adds time, and long ones count without what others do. */
export async function quickestMs(runs: number, work: () => unknown): Promise<number> {
  const times: number[] = []
  for (let run = 0; run < runs; run++) {
    const before = process.threadCpuUsage()
    const startedAtMs = performance.now()
    await work()
    const elapsedMs = performance.now() - startedAtMs
    const { user, system } = process.threadCpuUsage(before)
    const usedMs = (user + system) / 1000
    times.push(usedMs < LONG_MS ? elapsedMs : Math.min(elapsedMs, usedMs))
  }
  return Math.min(...times)
}
