import type { Growth } from './growth.ts'
import { costOf, type Cost } from './measure.ts'
import { medianRatio } from './statistics.ts'

const BAR_HEIGHT = 22
const LABEL_WIDTH = 260
const BAR_WIDTH = 380
const TITLE_HEIGHT = 34

/** A bar chart of times as multiples of the time of `base`, as an SVG document. */
export function barChart(title: string, costs: readonly Cost[], base: string): string {
  const floor = costOf(costs, base)?.times ?? []
  const ratios = costs.map(({ times }) => medianRatio(times, floor))
  const largest = Math.max(...ratios)
  const bars = costs.map(({ name }, index) => {
    const ratio = ratios[index] ?? 0
    const y = TITLE_HEIGHT + index * BAR_HEIGHT
    const width = Math.max(1, Math.round((ratio / largest) * BAR_WIDTH))
    const colour = name.startsWith('pagerduty-alert') ? '#06ac38' : '#9aa0a6'
    return `  <text x="${LABEL_WIDTH - 8}" y="${y + 15}" text-anchor="end">${escapeXml(name)}</text>
  <rect x="${LABEL_WIDTH}" y="${y + 3}" width="${width}" height="${BAR_HEIGHT - 6}" fill="${colour}"/>
  <text x="${LABEL_WIDTH + width + 6}" y="${y + 15}">${ratio.toFixed(2)}</text>`
  })
  return frame(
    `${title} (× ${base})`,
    LABEL_WIDTH + BAR_WIDTH + 60,
    TITLE_HEIGHT + costs.length * BAR_HEIGHT + 8,
    bars,
  )
}

/** Time over size on two logarithmic scales, with a dotted line of slope one: linear growth is parallel to it. */
export function growthChart({ name, unit, points }: Growth): string {
  const [width, height, left, top] = [420, 240, 60, TITLE_HEIGHT]
  const sizes = points.map(({ size }) => Math.log10(size))
  const times = points.map(({ cost }) => Math.log10(cost))
  const [minX, maxX] = [Math.min(...sizes), Math.max(...sizes)]
  const [minY, maxY] = [Math.min(...times), Math.max(...times, Math.min(...times) + 1)]
  const x = (log: number): number => left + ((log - minX) / (maxX - minX)) * width
  const y = (log: number): number => top + height - ((log - minY) / (maxY - minY)) * height
  const path = points.map((_, index) => `${x(sizes[index] ?? 0)},${y(times[index] ?? 0)}`).join(' ')
  const reach = Math.min(maxX - minX, maxY - minY)
  const [endX, endY] = [x(maxX), y(maxY)]
  const marks = points.map(
    (
      { size, cost },
      index,
    ) => `  <circle cx="${x(sizes[index] ?? 0)}" cy="${y(times[index] ?? 0)}" r="3" fill="#06ac38"/>
  <text x="${x(sizes[index] ?? 0)}" y="${top + height + 16}" text-anchor="middle">${shortNumber(size)}</text>
  <text x="${x(sizes[index] ?? 0) + 6}" y="${y(times[index] ?? 0) - 6}">${cost < 10 ? cost.toFixed(2) : cost.toFixed(0)} ms</text>`,
  )
  return frame(`${name} (${unit})`, left + width + 70, top + height + 30, [
    `  <line x1="${x(maxX - reach)}" y1="${y(maxY - reach)}" x2="${endX}" y2="${endY}" stroke="#9aa0a6" stroke-dasharray="3 4"/>`,
    `  <polyline points="${path}" fill="none" stroke="#06ac38" stroke-width="2"/>`,
    ...marks,
  ])
}

function frame(title: string, width: number, height: number, content: readonly string[]): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" font-family="sans-serif" font-size="12" role="img" aria-label="${escapeXml(title)}">
  <rect width="100%" height="100%" fill="#fff"/>
  <text x="8" y="20" font-weight="bold" font-size="14">${escapeXml(title)}</text>
${content.join('\n')}
</svg>
`
}

function shortNumber(size: number): string {
  if (size >= 1_000_000) return `${size / 1_000_000} M`
  return size >= 1000 ? `${size / 1000} k` : String(size)
}

function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;')
}
