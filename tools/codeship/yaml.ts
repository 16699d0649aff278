import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  parseDocument,
  type Document,
  type Node,
  type YAMLMap,
} from 'yaml'
import { Failure } from '../../src/core/failure.ts'

/** File and line: `codeship-steps.yml:3`. */
export interface Placed {
  readonly where: string
}

/** A scalar as it is written: names such as `01` and commands such as `true` keep their letters; `null` is blank. */
export interface Text extends Placed {
  readonly kind: 'text'
  readonly text: string
  /** True if there is no value, as after `environment:`, or the value is `null` or `~`. */
  readonly isNull: boolean
}

export interface List extends Placed {
  readonly kind: 'list'
  readonly items: readonly Value[]
}

export interface Fields extends Placed {
  readonly kind: 'map'
  readonly entries: ReadonlyMap<string, Value>
}

/** A YAML value that knows where it is written. */
export type Value = Text | List | Fields

/** The content of a YAML file, and notices about what is suspicious but not an error. */
export interface YamlFile {
  readonly root: Value
  readonly notices: readonly string[]
}

/** @throws Failure of kind `usage` that begins with the file and line of the mistake */
export function refuse({ where }: Placed, message: string): never {
  throw new Failure('usage', `${where}: ${message}`)
}

/**
 * Reads one YAML document and resolves anchors, aliases and merge keys. If a key is given twice, the last value
 * counts, as with Codeship, and a notice says so.
 * @param file its name, for messages
 * @throws Failure of kind `usage` with file and line if the text is not YAML. It quotes nothing, since values may be secret
 */
export function parseYaml(file: string, text: string): YamlFile {
  const lines = new LineCounter()
  // Windows' editors put a mark in front.
  const document = parseDocument(text.replace(/^\uFEFF/, ''), {
    lineCounter: lines,
    prettyErrors: false,
    uniqueKeys: false,
  })
  const notices: string[] = []
  const whereIs = (offset: number): string => `${file}:${lines.linePos(offset).line}`
  const [error] = document.errors
  if (error !== undefined) refuse({ where: whereIs(error.pos[0]) }, `is not YAML: ${error.message}`)
  const convert = createConverter(document, whereIs, notices)
  return { root: convert(document.contents, `${file}:1`), notices }
}

type Convert = (node: unknown, fallback: string) => Value

function createConverter(
  document: Document,
  whereIs: (offset: number) => string,
  notices: string[],
): Convert {
  const place = ({ range }: Node, fallback: string): string => (range ? whereIs(range[0]) : fallback)

  const convert: Convert = (node, fallback) => {
    if (isAlias(node)) {
      const anchored = node.resolve(document)
      return anchored === undefined
        ? refuse(
            { where: place(node, fallback) },
            `is not YAML: there is no anchor &${node.source} before it`,
          )
        : convert(anchored, fallback)
    }
    if (isSeq(node)) {
      const where = place(node, fallback)
      return { kind: 'list', where, items: node.items.map((item) => convert(item, where)) }
    }
    if (isMap(node)) return convertMap(node, place(node, fallback))
    if (!isScalar(node)) return { kind: 'text', where: fallback, text: '', isNull: true }
    const isNull = node.value === null
    const text = isNull ? '' : typeof node.value === 'string' ? node.value : (node.source ?? '')
    return { kind: 'text', where: place(node, fallback), text, isNull }
  }

  function convertMap(node: YAMLMap, where: string): Fields {
    const entries = new Map<string, Value>()
    const merged = new Map<string, Value>()
    for (const { key, value } of node.items) {
      const name = convert(key, where)
      if (name.kind !== 'text') return refuse(name, 'a key must be a word')
      const converted = convert(value, name.where)
      if (name.text === '<<') {
        for (const [inherited, its] of mergeSources(converted).flatMap(({ entries: from }) => [...from]))
          if (!merged.has(inherited)) merged.set(inherited, its)
        continue
      }
      if (entries.has(name.text))
        notices.push(`${name.where}: ${name.text} is given twice; the last one counts`)
      entries.set(name.text, converted)
    }
    return { kind: 'map', where, entries: new Map([...merged, ...entries]) }
  }

  return convert
}

/** What `<<` names: a map, or a list of maps in which earlier ones win (https://yaml.org/type/merge.html). */
function mergeSources(value: Value): Fields[] {
  if (value.kind === 'map') return [value]
  if (value.kind === 'list') return value.items.flatMap(mergeSources)
  return refuse(value, '<< must refer to a map')
}
