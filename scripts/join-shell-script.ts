import { readFileSync } from 'node:fs'

const SCRIPT = new URL('../pagerduty.sh', import.meta.url)
const EVENTS = new URL('../src/shell/events.jq', import.meta.url)

/** Returns the text of `pagerduty.sh` with the jq program of `src/shell/events.jq` in its place. */
export function joinShellScript(): string {
  const [head = '', rest = ''] = readFileSync(SCRIPT, 'utf8').split(/(?<=<<'JQ'\n)/)
  const tail = rest.slice(rest.indexOf('\nJQ\n') + 1)
  return head + readFileSync(EVENTS, 'utf8') + tail
}
