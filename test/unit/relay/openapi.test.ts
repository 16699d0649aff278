import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fastify } from 'fastify'
import type { RelayDeps } from '../../../src/relay/context.ts'
import { openApi, ROUTES } from '../../../src/relay/openapi.ts'

/** `POST /success`, for each method of each path. */
function described(paths: Readonly<Record<string, object>>): string[] {
  return Object.entries(paths)
    .flatMap(([path, item]) => Object.keys(item).map((method) => `${method.toUpperCase()} ${path}`))
    .toSorted()
}

/** What the groups add to a server, in the same form, without the HEAD that Fastify adds to each GET. */
async function mounted(groups: typeof ROUTES): Promise<string[]> {
  const routes: string[] = []
  const app = fastify()
  app.removeAllContentTypeParsers()
  app.addHook('onRoute', ({ method, url }) => {
    for (const one of [method].flat())
      if (one !== 'HEAD') routes.push(`${one} ${url.replaceAll(/:(\w+)/g, '{$1}')}`)
  })
  for (const { mount } of groups)
    void app.register(async (scope) => mount(scope, { isPageOn: true } as RelayDeps))
  await app.ready()
  return routes.toSorted()
}

test('every route is described, and every description is routed', async () => {
  for (const group of ROUTES) assert.deepEqual(await mounted([group]), described(group.paths))
  assert.deepEqual(described(openApi()['paths'] as Record<string, object>), await mounted(ROUTES))
})

test('every schema and response that a description refers to is in the document', () => {
  const document = openApi()
  const { schemas, responses } = document['components'] as Record<string, Record<string, object>>
  const names = new Set(
    [...JSON.stringify(document).matchAll(/"#\/components\/(\w+)\/(\w+)"/g)].map(
      ([, kind, name]) => `${kind}/${name}`,
    ),
  )
  const known = [
    ...Object.keys(schemas ?? {}).map((name) => `schemas/${name}`),
    ...Object.keys(responses ?? {}).map((name) => `responses/${name}`),
  ]
  assert.deepEqual([...names].toSorted(), known.toSorted())
})
