/** The middle value of a list; of an even number of values the upper one. NaN for an empty list. */
export function median(values: readonly number[]): number {
  return percentile(values, 0.5)
}

/** The value below which the given part of all values lies. NaN for an empty list. @param part from 0 up to, not including, 1 */
export function percentile(values: readonly number[], part: number): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length * part)] ?? Number.NaN
}

/**
 * What one thing costs as a multiple of another, both measured in the same rounds: the median of the rounds' own ratios,
 * which does not change if the machine is slow for a while.
 */
export function medianRatio(values: readonly number[], others: readonly number[]): number {
  const rounds = Math.min(values.length, others.length)
  return median(values.slice(0, rounds).map((value, round) => value / (others[round] ?? Number.NaN)))
}

/** A cost at a size. */
export interface Point {
  readonly size: number
  readonly cost: number
}

/** Smaller sizes show the fixed cost more than the growth. */
const FITTED_POINTS = 3

/**
 * The power of the size with which a cost grows, 1 for linear growth: the slope of the straight line that fits the last
 * three points best (least squares) on two logarithmic scales. NaN for fewer than two points.
 */
export function growthExponent(points: readonly Point[]): number {
  const logs = points
    .slice(-FITTED_POINTS)
    .map(({ size, cost }) => ({ x: Math.log(size), y: Math.log(cost) }))
  const mean = (values: readonly number[]): number =>
    values.reduce((sum, value) => sum + value, 0) / values.length
  const [meanX, meanY] = [mean(logs.map(({ x }) => x)), mean(logs.map(({ y }) => y))]
  const covariance = mean(logs.map(({ x, y }) => (x - meanX) * (y - meanY)))
  const variance = mean(logs.map(({ x }) => (x - meanX) ** 2))
  return covariance / variance
}
