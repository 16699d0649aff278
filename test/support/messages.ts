import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { parseAst } from 'rolldown/parseAst'

const SOURCE = new URL('../../src/', import.meta.url)

/** Files of src/ whose prose has a page of its own: the help, the API's description, metrics, shell completion, the web page. */
export const FILES_WITH_OTHER_PAGES = [
  'cli/command-table.ts',
  'cli/help.ts',
  'cli/completion.ts',
  'relay/describe-route.ts',
  'core/deployment-figures.ts',
  'relay/deployment-metrics.ts',
  'relay/deployments-api.ts',
  'relay/openapi.ts',
  'relay/metrics.ts',
  'relay/now-tables.ts',
  'relay/send-file.ts',
]

/** Two words or more, as a person would read them. */
const PROSE = /[a-z’'",)]:? [a-z…]/i
const SQL =
  /\b(?:PRAGMA|CREATE|SELECT|CASE WHEN|NULL AS|AS settled_at|BEGIN|SET LOCAL|INSERT|UPDATE|DELETE FROM|WHERE|ROLLBACK|ORDER BY)\b|\bIN \('|^id, /
// Also the frames of server-sent events.
const NO_PROSE = /text\/plain|^(?:id|event): \S* ?(?:event: |data: )|^deny|^Bearer realm|^max\(/

/** A tree with fewer messages than this has been read wrongly. */
const LEAST_MESSAGES = 400

type Node = Readonly<Record<string, unknown>> & { readonly type: string }

/**
 * Every text of two words or more that the program's source holds and a person may be shown, with `…` for each part
 * that is only known when it runs.
 */
export function collectMessages(): { file: string; text: string }[] {
  const files = readdirSync(SOURCE, { recursive: true, encoding: 'utf8' }).filter((file) =>
    /(?<!\.d)\.ts$/.test(file),
  )
  for (const file of FILES_WITH_OTHER_PAGES)
    assert.ok(files.includes(file), `src/${file} has moved: correct the list in test/support/messages.ts`)
  const messages = files
    .filter((file) => !FILES_WITH_OTHER_PAGES.includes(file))
    .flatMap((file) =>
      messagesIn(readFileSync(new URL(file, SOURCE), 'utf8')).map((text) => ({ file, text })),
    )
  assert.ok(messages.length >= LEAST_MESSAGES, `only ${messages.length} messages found in src/`)
  return messages
}

/** The same of one file's source. */
export function messagesIn(source: string): string[] {
  return [...textsIn(parseAst(source, { lang: 'ts' }))]
    .map((text) => text.replaceAll(/\s+/g, ' ').trim())
    .filter((text) => PROSE.test(text) && !SQL.test(text) && !NO_PROSE.test(text))
}

/** The outermost texts of a tree, and those within the parts that `…` stands for. */
function* textsIn(value: unknown): Generator<string> {
  if (Array.isArray(value)) for (const item of value) yield* textsIn(item)
  if (!isNode(value) || isSkipped(value)) return
  const text = textOf(value)
  if (text === undefined) for (const child of Object.values(value)) yield* textsIn(child)
  else {
    yield text
    for (const part of unknownParts(value)) yield* textsIn(part)
  }
}

/** Types, imports, the help of a setting, descriptions of schemas and routes, and errors that only a bug throws. */
function isSkipped(node: Node): boolean {
  const { type, callee, key } = node
  if (type === 'Property' && isNode(key) && key['name'] === 'help') return true
  if (type.startsWith('TS') && type.endsWith('Type')) return true
  if (type === 'Property' && isNode(key) && key['name'] === 'paths') return true
  if (type === 'ImportDeclaration' || type === 'TSTypeAliasDeclaration' || type === 'TSInterfaceDeclaration')
    return true
  if (!isNode(callee)) return false
  if (type === 'NewExpression') return callee['name'] === 'Error'
  return isNode(callee['property']) && callee['property']['name'] === 'describe'
}

function textOf(node: Node): string | undefined {
  if (node.type === 'Literal') return typeof node['value'] === 'string' ? node['value'] : undefined
  if (node.type === 'TemplateLiteral') {
    const quasis = node['quasis'] as { value: { cooked: string } }[]
    return quasis.map(({ value }) => value.cooked).join('…')
  }
  if (node.type !== 'BinaryExpression' || node['operator'] !== '+') return undefined
  const [left, right] = [node['left'], node['right']].map((side) => textOf(side as Node))
  return left === undefined && right === undefined ? undefined : `${left ?? '…'}${right ?? '…'}`
}

function unknownParts(node: Node): unknown[] {
  if (node.type === 'TemplateLiteral') return node['expressions'] as unknown[]
  if (node.type !== 'BinaryExpression') return []
  return [node['left'], node['right']].flatMap((side) =>
    textOf(side as Node) === undefined ? [side] : unknownParts(side as Node),
  )
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string'
}
