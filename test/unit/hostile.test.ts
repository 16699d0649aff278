import { describe, test } from 'node:test'
import { Failure } from '../../src/core/failure.ts'
import { blankComments, parseJson } from '../../src/core/json.ts'
import { replaceReferences } from '../../src/core/references.ts'
import { checkTemplate, defaultSummary, renderTemplate, type SummaryFacts } from '../../src/core/summary.ts'
import { parseForm } from '../../src/relay/parse-form.ts'
import { assertLinear, HOSTILE_TEXTS } from '../support/hostile.ts'

const factsWith = (text: string): SummaryFacts => ({
  build: { commitMessage: text, repository: text, branch: text, commit: text, committer: text, origins: {} },
  result: {},
})

/** Everything that reads text of others. A new reader is a new row. */
const READERS: Readonly<Record<string, (text: string) => unknown>> = {
  'the check of a template': checkTemplate,
  'a rendered template': (text) =>
    renderTemplate(checkTemplate(text.replaceAll('{{a', '{{message}}')), factsWith('x'.repeat(100_000))),
  'the summary of a build': (text) => defaultSummary(factsWith(text)),
  'references to variables': (text) => replaceReferences([text], () => 'value'),
  'comments in JSON': blankComments,
  JSON: parseJson,
  'a JSON list': (text) => parseJson(`[${text}1e1]`),
  'a JSON string': (text) => parseJson(`[${JSON.stringify(text)},1e1]`),
  'a form': parseForm,
}

describe('no text of 512,000 bytes holds the event loop for more than 100 ms', () => {
  for (const [name, read] of Object.entries(READERS)) {
    test(name, () => {
      for (const { name: shape, make } of HOSTILE_TEXTS) assertLinear(shape, make, withoutRefusals(read))
    })
  }
})

/** A refusal is an answer like any other. */
function withoutRefusals(read: (text: string) => unknown): (text: string) => void {
  return (text) => {
    try {
      read(text)
    } catch (error) {
      if (!(error instanceof Failure || error instanceof SyntaxError)) throw error
    }
  }
}
