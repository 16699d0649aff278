import type { Behaviour } from '../../tools/simulator/behaviour.ts'

/** Unexpected forms in which a server may accept an event or fail. */
export const LIES: readonly Behaviour[] = [
  { kind: 'interim', statuses: [100] },
  { kind: 'interim', statuses: [103, 100, 102], headers: 50, isSplit: true },
  { kind: 'headers', count: 3000 },
  { kind: 'headers', count: 10, bytes: 50_000 },
  { kind: 'malformed', lines: ['x name: 1', 'no colon'] },
  { kind: 'truncate' },
  { kind: 'compressed', status: 503, coding: 'gzip', body: '{"message":"overloaded"}' },
  { kind: 'compressed', status: 500, coding: 'zstd', body: '{"message":"oops"}' },
  { kind: 'answer', status: 503, headers: { 'retry-after': '-1', 'content-type': 'text/html; charset=x' } },
]
