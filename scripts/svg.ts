/** The reader's system chooses between two palettes; the background is part of the picture. */
const STYLE = `text{font-family:system-ui,-apple-system,"Segoe UI",Roboto,Helvetica,Arial,sans-serif;font-size:14px;fill:var(--text)}
.title{font-size:15px;font-weight:600}.small{font-size:12.5px;fill:var(--muted)}.strong{font-weight:600}
.code{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;font-size:12.5px}
.red{fill:var(--red)}.green{fill:var(--green)}.blue{fill:var(--blue)}.pill-red{fill:#cf222e}.pill-green{fill:#1a7f37}.on{fill:#fff;font-weight:600;font-size:12px}
.page{fill:var(--page);stroke:var(--line)}.card{fill:var(--card);stroke:var(--line)}.zone{fill:none;stroke:var(--muted);stroke-dasharray:5 4}
.arrow{fill:none;stroke:var(--muted);stroke-width:1.6}.rule{stroke:var(--line)}.tip{fill:var(--muted)}
svg{--page:#fff;--card:#f6f8fa;--line:#d1d9e0;--text:#1f2328;--muted:#59636e;--red:#cf222e;--green:#1a7f37;--blue:#0969da}
@media(prefers-color-scheme:dark){svg{--page:#0d1117;--card:#161b22;--line:#3d444d;--text:#f0f6fc;--muted:#9198a1;--red:#f85149;--green:#3fb950;--blue:#4493f8}}`

/** A picture: its size, its text for people who cannot see it, and its parts, from back to front. */
export interface Picture {
  readonly width: number
  readonly height: number
  readonly alt: string
  readonly parts: readonly string[]
}

/** Returns a picture as a complete SVG document, for light and dark pages. */
export function svg({ width, height, alt, parts }: Picture): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-label="${escape(alt)}">
<style>${STYLE}</style>
<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" orient="auto-start-reverse"><path class="tip" d="M0 0 8 4 0 8z"/></marker></defs>
<rect class="page" x=".5" y=".5" width="${width - 1}" height="${height - 1}" rx="12"/>
${parts.join('\n')}
</svg>
`
}

/** One line of text; `kind` is one or more of the classes above. */
export function text(x: number, y: number, words: string, kind = ''): string {
  return `<text x="${x}" y="${y}"${kind === '' ? '' : ` class="${kind}"`}>${escape(words)}</text>`
}

/** A box; a colour adds a bar on its left. */
export function box(
  [x, y, width, height]: readonly [number, number, number, number],
  colour?: 'red' | 'green' | 'blue',
  kind = 'card',
): string {
  const frame = `<rect class="${kind}" x="${x}" y="${y}" width="${width}" height="${height}" rx="8"/>`
  if (colour === undefined) return frame
  return `${frame}\n<rect class="${colour}" x="${x}" y="${y + 8}" width="4" height="${height - 16}" rx="2"/>`
}

/** A word on a coloured pill. */
export function pill(x: number, y: number, word: string, colour: 'red' | 'green'): string {
  const width = word.length * 8.6 + 18
  return `<rect class="pill-${colour}" x="${x}" y="${y}" width="${width}" height="22" rx="11"/>
<text x="${x + width / 2}" y="${y + 15.5}" class="on" text-anchor="middle">${escape(word)}</text>`
}

/** An arrow through all the points. */
export function arrow(...points: readonly (readonly [number, number])[]): string {
  return `<polyline class="arrow" points="${points.map((point) => point.join(',')).join(' ')}" marker-end="url(#tip)"/>`
}

function escape(words: string): string {
  return words.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;')
}
