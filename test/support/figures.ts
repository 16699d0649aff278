import { readFileSync, writeFileSync } from 'node:fs'

const PAGE = new URL('../../docs/reliability.md', import.meta.url)

/** How a page contains a figure: `<!-- figure: NAME -->VALUE<!-- . -->`. */
function place(name: string): RegExp {
  return new RegExp(`(<!-- figure: ${name} -->)(.*?)(<!-- \\. -->)`)
}

/** The value of a figure in `docs/reliability.md`; undefined if the page has none of this name. */
export function readFigure(name: string): string | undefined {
  return place(name).exec(readFileSync(PAGE, 'utf8'))?.[2]
}

/** Writes a measured figure into `docs/reliability.md` if asked to, as `npm run figures` does. */
export function recordFigure(name: string, value: string): void {
  if (process.env['RECORD_FIGURES'] !== '1') return
  const page = readFileSync(PAGE, 'utf8')
  if (!place(name).test(page)) throw new Error(`docs/reliability.md has no place for the figure "${name}"`)
  writeFileSync(PAGE, page.replace(place(name), `$1${value}$3`))
}

/** `1,234` */
export function formatCount(count: number): string {
  return count.toLocaleString('en-US')
}
