import { globSync, readFileSync } from 'node:fs'
import { check } from 'recheck'
import { parseAst } from 'rolldown/parseAst'

/*
 * Fails if a regular expression of the program, its scripts or its test servers needs more than linear time, and prints a
 * text that shows it. The checker does not support lookbehinds and references; test/integration/hostile.test.ts covers those.
 */

const SOURCES = ['src/**/*.ts', 'action/*.ts', 'scripts/*.ts', 'tools/simulator/*.ts', 'tools/codeship/*.ts']
/** Time limit for one expression; nearly all take a few milliseconds. */
const TIMEOUT_MS = 500

interface Expression {
  readonly pattern: string
  readonly flags: string
  /** `src/core/json.ts:12`. */
  readonly place: string
}

/** The literals of a file. */
function expressionsIn(file: string): Expression[] {
  const text = readFileSync(file, 'utf8')
  const found: Expression[] = []
  const visit = (node: unknown): void => {
    if (typeof node !== 'object' || node === null) return
    if ('regex' in node && 'start' in node) {
      const line = text.slice(0, Number(node.start)).split('\n').length
      found.push({ ...(node.regex as { pattern: string; flags: string }), place: `${file}:${line}` })
    }
    for (const child of Object.values(node)) visit(child)
  }
  visit(parseAst(text, { lang: 'ts', sourceType: 'module' }))
  return found
}

/**
 * The expression with small repetition counts and short words. It needs more than linear time if and only if the original
 * does, but the checker's automaton is a hundredth of the size.
 */
function abridged(pattern: string): string {
  const token =
    /\\u[0-9a-f]{4}|\\x[0-9a-f]{2}|\\.|\[(?:[^\]\\]|\\.)*\]|\(\?<\w+>|\{(\d+)(,?)(\d*)\}|[a-z]{3,}/gi
  return pattern.replaceAll(token, (whole, least?: string, comma?: string, most?: string) => {
    if (least === undefined) return /^[a-z]/i.test(whole) ? whole.slice(0, 2) : whole
    return `{${Math.min(Number(least), comma === '' ? 2 : 1)}${comma}${most === '' ? '' : Math.min(Number(most), 2)}}`
  })
}

/** This file: its own expression is only used on this repository. */
const OWN = 'scripts/check-expressions.ts'

const expressions = globSync(SOURCES, { exclude: [OWN] }).flatMap(expressionsIn)
const slow: string[] = []
for (const { pattern, flags, place } of expressions) {
  const verdict = await check(abridged(pattern), flags, { checker: 'automaton', timeout: TIMEOUT_MS })
  if (verdict.status === 'vulnerable')
    slow.push(
      `${place}: /${pattern}/${flags} takes ${verdict.complexity.summary} time, as with ${verdict.attack.pattern}`,
    )
}
for (const line of slow) console.error(line)
console.log(`${expressions.length} regular expressions, ${slow.length} slower than linear`)
process.exitCode = slow.length === 0 ? 0 : 1
