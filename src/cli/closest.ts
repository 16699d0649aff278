/** The known name that a misspelt one is closest to; undefined if none is close. */
export function closest(name: string, known: readonly string[]): string | undefined {
  const plain = (text: string): string => text.toLowerCase().replaceAll(/[-_]/g, '')
  const [first] = known
    .map((candidate) => ({
      candidate,
      // People rarely mistype the first letter.
      distance: editDistance(plain(candidate), plain(name)) + (candidate[0] === plain(name)[0] ? 0 : 1),
    }))
    .toSorted((a, b) => a.distance - b.distance)
  const isClose = first !== undefined && first.distance <= 2 && name.length > 2
  return isClose ? first.candidate : undefined
}

/** Levenshtein distance, for words as short as options. */
function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (const [row, letter] of a.split('').entries()) {
    const current = [row + 1]
    for (const [column, other] of b.split('').entries()) {
      const replaced = (previous[column] ?? 0) + (letter === other ? 0 : 1)
      current.push(Math.min(replaced, (previous[column + 1] ?? 0) + 1, (current[column] ?? 0) + 1))
    }
    previous = current
  }
  return previous.at(-1) ?? 0
}
