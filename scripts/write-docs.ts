import { readFileSync, writeFileSync } from 'node:fs'
import { openApi } from '../src/relay/openapi.ts'
import { configurationPage } from './configuration-page.ts'
import { eventsPage } from './events-page.ts'
import { joinShellScript } from './join-shell-script.ts'
import { pictures } from './pictures.ts'

const configuration = new URL('../docs/configuration.md', import.meta.url)
writeFileSync(configuration, configurationPage(readFileSync(configuration, 'utf8')))
const events = new URL('../docs/events.md', import.meta.url)
writeFileSync(events, await eventsPage(readFileSync(events, 'utf8')))
writeFileSync(new URL('../docs/openapi.json', import.meta.url), `${JSON.stringify(openApi(), null, 2)}\n`)
writeFileSync(new URL('../pagerduty.sh', import.meta.url), joinShellScript())
for (const [name, picture] of Object.entries(await pictures()))
  writeFileSync(new URL(`../docs/pictures/${name}`, import.meta.url), picture)
