import { globSync } from 'node:fs'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'

/*
 * All unit tests in one process, as in `npm run test:unit`: they take seconds, and to start a process for each file
 * would take longer than the tests.
 */

for (const file of globSync('test/unit/**/*.test.ts').toSorted())
  await import(pathToFileURL(resolve(file)).href)
