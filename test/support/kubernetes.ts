import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { parseAllDocuments } from 'yaml'

const readPage = (name: string): string =>
  readFileSync(new URL(`../../docs/${name}`, import.meta.url), 'utf8')

/** A manifest, as far as tests look at it. */
export interface Manifest {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: {
    readonly name: string
    readonly namespace?: string
    readonly annotations?: Readonly<Record<string, string>>
  }
  readonly data?: Readonly<Record<string, string>>
  readonly spec?: Readonly<Record<string, unknown>>
}

/** The YAML documents of a recipe in docs/kubernetes.md, or another page. */
export function recipe(name: string, page = 'kubernetes.md'): Manifest[] {
  const text = new RegExp(`^\`\`\`yaml ${name}\n([\\s\\S]*?)^\`\`\`$`, 'm').exec(readPage(page))?.[1]
  const documents = [...parseAllDocuments(text ?? assert.fail(name), { uniqueKeys: true })]
  assert.deepEqual(
    documents.flatMap(({ errors }) => errors),
    [],
  )
  return documents.map((document) => document.toJS() as Manifest)
}

/** A container of a manifest. */
export interface Container {
  readonly args: readonly string[]
  readonly env: readonly {
    readonly name: string
    readonly value?: string
    readonly valueFrom?: { readonly secretKeyRef: { readonly name: string; readonly key: string } }
  }[]
  readonly volumeMounts?: readonly { readonly name: string; readonly mountPath: string }[]
}

/** The only container of a Job or Deployment. */
export function containerOf({ spec }: Manifest): Container {
  const { template } = spec as { template: { spec: { containers: Container[] } } }
  const [container, ...others] = template.spec.containers
  assert.equal(others.length, 0)
  return container ?? assert.fail('no container')
}

const SCHEMAS = ['kubernetes-1.30', 'flux-v1beta3'].map((name) => {
  const file = new URL(`../fixtures/kubernetes-schema/${name}.json`, import.meta.url)
  const schema = JSON.parse(readFileSync(file, 'utf8')) as { $defs: Record<string, object> }
  return { name, schema }
})
const ajv = new Ajv2020({ strict: false, allErrors: true })
for (const { name, schema } of SCHEMAS) ajv.addSchema(schema, name)

/** What is wrong with a manifest, by the schema of its kind. */
export function problemsOf(manifest: Manifest): string[] {
  const found = SCHEMAS.find(({ schema }) => Object.hasOwn(schema.$defs, manifest.kind))
  if (found === undefined) return [`no schema for ${manifest.kind}`]
  const validate = ajv.getSchema(`${found.name}#/$defs/${manifest.kind}`) ?? assert.fail(manifest.kind)
  const isValid = validate(manifest)
  return isValid === true
    ? []
    : (validate.errors ?? []).map(
        ({ instancePath, message = '', params }) => `${instancePath} ${message} ${JSON.stringify(params)}`,
      )
}
