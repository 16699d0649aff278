import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { configurationPage } from '../../scripts/configuration-page.ts'
import { eventsPage } from '../../scripts/events-page.ts'
import { pictures } from '../../scripts/pictures.ts'
import { openApi } from '../../src/relay/openapi.ts'

test('docs/configuration.md lists what the tables say; `npm run docs` writes it', () => {
  const page = readFileSync(new URL('../../docs/configuration.md', import.meta.url), 'utf8')
  assert.equal(page, configurationPage(page))
})

test('docs/events.md shows what the program makes of the captured environments; `npm run docs` writes it', async () => {
  const page = readFileSync(new URL('../../docs/events.md', import.meta.url), 'utf8')
  assert.equal(page, await eventsPage(page))
})

test('docs/openapi.json is the document that the relay serves; `npm run docs` writes it', () => {
  const kept: unknown = JSON.parse(readFileSync(new URL('../../docs/openapi.json', import.meta.url), 'utf8'))
  assert.deepEqual(kept, JSON.parse(JSON.stringify(openApi())))
})

for (const [name, picture] of Object.entries(await pictures())) {
  const url = new URL(`../../docs/pictures/${name}`, import.meta.url)
  test(`docs/pictures/${name} is what the script draws; \`npm run docs\` writes it`, () => {
    assert.equal(readFileSync(url, 'utf8'), picture)
  })
  test(`docs/pictures/${name} loads nothing, and says in words what it shows`, () => {
    const addresses = [...picture.matchAll(/https?:\/\/[^"<\s]+/g)].map(([address]) => address)
    const harmless = ['http://www.w3.org/2000/svg', 'http://pagerduty:8080', 'http://pagerduty:8080/success']
    assert.deepEqual(
      addresses.filter((address) => !harmless.includes(address)),
      [],
    )
    assert.doesNotMatch(picture, /<(?:script|image|foreignObject)|href=|@import|url\((?!#)/)
    assert.match(picture, /^<svg [^>]*role="img" aria-label="[^"]{80,}">/)
  })
}
