import { readFileSync } from 'node:fs'

interface Component {
  readonly type: string
  readonly name: string
  readonly version: string
  readonly purl: string
  readonly [field: string]: unknown
}

/** The fields of a CycloneDX 1.5 document that we read or change (https://cyclonedx.org/docs/1.5/json/). */
interface Bom {
  readonly serialNumber?: string
  readonly metadata: { readonly timestamp?: string; readonly component: Component }
  readonly components: readonly Component[]
}

/**
 * Returns the image's bill of materials: npm's, plus Node and the Debian packages that its libraries come from. It has no
 * serial number or time, so the same sources give the same document, and the program's name instead of the name of the
 * folder it was built in, which npm uses.
 * @param packages lines of `name version architecture`, as `dpkg-query` prints them
 */
function billOfMaterials(npm: Bom, packages: string): Bom {
  const { serialNumber: _, ...bom } = npm
  const { timestamp: __, ...metadata } = bom.metadata
  const [name = ''] = /(?<=^pkg:npm\/).+(?=@)/.exec(metadata.component.purl) ?? []
  return {
    ...bom,
    metadata: { ...metadata, component: { ...metadata.component, type: 'application', name } },
    components: [...bom.components, nodeComponent(), ...packages.trim().split('\n').map(debianComponent)],
  }
}

function nodeComponent(): Component {
  const version = process.versions.node
  return {
    'bom-ref': `node@${version}`,
    type: 'platform',
    name: 'node',
    version,
    purl: `pkg:generic/node@${version}`,
    cpe: `cpe:2.3:a:nodejs:node.js:${version}:*:*:*:*:*:*:*`,
  }
}

function debianComponent(line: string): Component {
  const [name = '', version = '', architecture = ''] = line.split(' ')
  const purl = `pkg:deb/debian/${encodeURIComponent(name)}@${encodeURIComponent(version)}?arch=${architecture}`
  return { 'bom-ref': purl, type: 'library', name, version, purl }
}

const [npmFile, packagesFile] = process.argv.slice(2)
if (npmFile === undefined || packagesFile === undefined) {
  process.stderr.write('usage: sbom.ts NPM_BOM_FILE PACKAGES_FILE\n')
  process.exit(64)
}
const npm = JSON.parse(readFileSync(npmFile, 'utf8')) as Bom
process.stdout.write(`${JSON.stringify(billOfMaterials(npm, readFileSync(packagesFile, 'utf8')), null, 2)}\n`)
