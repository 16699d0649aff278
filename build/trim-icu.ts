import { readFileSync, writeFileSync } from 'node:fs'

/*
 * Removes from a Node binary the data of ICU that the program cannot use: what languages other than English call things and
 * how they sort, transliteration, and dictionaries for dividing text into words. The file keeps its size, but 23 MB of it
 * become zeros, so a quarter less has to be pulled.
 *
 * usage: node build/trim-icu.ts NODE
 */

/** A file that is packed into ICU's data, such as `icudt78l/zone/de.res`. */
interface Item {
  readonly name: string
  readonly nameAt: number
  readonly dataAt: number
}

/** `CmnD`, the format of ICU's common data, at the place where a data header has it (icu4c/source/common/ucmndata.h). */
const FORMAT = Buffer.from('CmnD')
const FORMAT_AT = 12
const MAGIC = 0x27_da

/** The languages that stay. ICU falls back to `root`, which is the English one for most purposes. */
const KEPT = /^(?:root|en|en_US|en_US_POSIX|pool|res_index)$/
const LOCALE = /^[a-z]{2,3}(?:_[A-Z][a-z]{3})?(?:_(?:[A-Z]{2}|\d{3}))?(?:_[A-Z]+)?$/

function isUseless(name: string): boolean {
  const [, folder, base = '', extension] = /^[^/]+\/(?:(\w+)\/)?([^/]+)\.(\w+)$/.exec(name) ?? []
  if (extension === 'dict' || folder === 'translit') return true
  return extension === 'res' && LOCALE.test(base) && !KEPT.test(base)
}

/**
 * Removes them in place, from the table of contents and from the data.
 * @returns the number of bytes that are zero now
 * @throws if there is not exactly one table
 */
function trim(binary: Buffer): number {
  const tableAt = findTable(binary)
  const items = readItems(binary, tableAt)
  const kept = items.filter(({ name }) => !isUseless(name))
  binary.writeUInt32LE(kept.length, tableAt)
  for (const [index, { nameAt, dataAt }] of kept.entries()) {
    binary.writeUInt32LE(nameAt, tableAt + 4 + 8 * index)
    binary.writeUInt32LE(dataAt, tableAt + 8 + 8 * index)
  }
  let zeros = 0
  for (const [index, { name, dataAt }] of items.entries()) {
    const end = items[index + 1]?.dataAt
    if (!isUseless(name) || end === undefined) continue
    binary.fill(0, tableAt + dataAt, tableAt + end)
    zeros += end - dataAt
  }
  return zeros
}

function findTable(binary: Buffer): number {
  const tables: number[] = []
  for (let at = binary.indexOf(FORMAT); at >= 0; at = binary.indexOf(FORMAT, at + 1)) {
    const header = at - FORMAT_AT
    if (binary.readUInt16LE(header + 2) === MAGIC) tables.push(header + binary.readUInt16LE(header))
  }
  const [table] = tables
  if (table === undefined || tables.length > 1)
    throw new Error(`${tables.length} tables of ICU's data, not one`)
  return table
}

/** Offsets are counted from the table's beginning: its length, and then each item's name and data. */
function readItems(binary: Buffer, tableAt: number): Item[] {
  return Array.from({ length: binary.readUInt32LE(tableAt) }, (_, index) => {
    const nameAt = binary.readUInt32LE(tableAt + 4 + 8 * index)
    const from = tableAt + nameAt
    return {
      name: binary.toString('latin1', from, binary.indexOf(0, from)),
      nameAt,
      dataAt: binary.readUInt32LE(tableAt + 8 + 8 * index),
    }
  })
}

const [path = ''] = process.argv.slice(2)
const binary = readFileSync(path)
process.stdout.write(`${trim(binary)} bytes of ICU's data removed\n`)
writeFileSync(path, binary)
