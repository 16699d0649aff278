/** `0.5 s`, `42 s`. */
export function formatMs(durationMs: number): string {
  return `${Number((durationMs / 1000).toFixed(durationMs < 10_000 ? 1 : 0))} s`
}
