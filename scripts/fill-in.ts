const BEGIN = '<!-- generated: '
const END = '<!-- . -->'

/**
 * Replaces the generated parts of a page, between `<!-- generated: NAME -->` and `<!-- . -->`. A value of several lines
 * gets lines of its own.
 * @throws if the page has a part without a value, or a value has no part
 */
export function fillIn(page: string, values: Readonly<Record<string, string>>): string {
  const missing = new Set(Object.keys(values))
  const [head = '', ...parts] = page.split(BEGIN)
  const filled = parts.map((part) => {
    const [name = ''] = part.split(' -->', 1)
    const value = values[name]
    if (value === undefined) throw new Error(`nothing generates the part "${name}"`)
    if (!part.includes(END)) throw new Error(`the part "${name}" has no end`)
    missing.delete(name)
    const rest = part.slice(part.indexOf(END))
    return `${BEGIN}${name} -->${value.includes('\n') ? `\n\n${value.trim()}\n\n` : value}${rest}`
  })
  if (missing.size > 0) throw new Error(`the page has no part for ${[...missing].join(', ')}`)
  return head + filled.join('')
}
