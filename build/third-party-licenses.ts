import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

interface Manifest {
  readonly name: string
  readonly version: string
  readonly license?: string
  readonly homepage?: string
}

/**
 * Returns the licence texts of the npm packages that the bundled files come from; they must be distributed with the bundle.
 * @param moduleIds absolute paths of the source files; those outside `node_modules` are ours and left out
 * @returns plain text, one section per package, sorted by name
 * @throws if a package does not name its licence, so that somebody looks
 */
export function thirdPartyLicenses(moduleIds: readonly string[]): string {
  const folders = new Set(moduleIds.map(packageFolder).filter((folder) => folder !== undefined))
  return [...folders].map(section).toSorted().join('\n\n')
}

function packageFolder(moduleId: string): string | undefined {
  return /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+/.exec(moduleId)?.[0]
}

function section(folder: string): string {
  const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest
  const { name, version, license } = manifest
  if (license === undefined) throw new Error(`${name} ${version} names no licence`)
  const title = `${name} ${version} (${license})`
  const texts = readdirSync(folder)
    .filter((file) => /^(?:licen[cs]e|notice)(?:[.-]|$)/i.test(file))
    .map((file) => readFileSync(join(folder, file), 'utf8').trim())
  const body = texts.length > 0 ? texts.join('\n\n') : withoutText(manifest)
  return `${title}\n${'='.repeat(title.length)}\n\n${body}\n`
}

/** A few packages name their licence only in package.json. */
function withoutText({ license, homepage }: Manifest): string {
  return [`Licensed under ${license}; the package carries no text of it.`, homepage ?? ''].join('\n').trim()
}
