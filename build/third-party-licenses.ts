import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

interface Manifest {
  readonly name: string
  readonly version: string
  readonly license?: string
  readonly homepage?: string
}

/**
 * The licence texts of the npm packages that bundled source files belong to: whoever passes the bundle on must pass
 * these on too.
 * @param moduleIds absolute paths of the source files; those outside `node_modules` are ours and left out
 * @returns plain text, one section a package, sorted by name
 * @throws for a package that names no licence: then somebody has to look
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

/** A few packages name their licence in package.json only. */
function withoutText({ license, homepage }: Manifest): string {
  return [`Licensed under ${license}; the package carries no text of it.`, homepage ?? ''].join('\n').trim()
}
