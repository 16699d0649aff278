import { describe, test } from 'node:test'
import { Failure } from '../../src/core/failure.ts'
import { charsetOf, decodeText } from '../../src/core/charset.ts'
import { blankComments, cleanObject, parseJson, type JsonObject } from '../../src/core/json.ts'
import { createMask } from '../../src/core/mask-event.ts'
import { formatOutput, maskOutput, stripControls } from '../../src/core/mask-output.ts'
import { oneLine } from '../../src/core/mask-secrets.ts'
import { describeAnswer, serverWords } from '../../src/core/outcome.ts'
import { parseRetryAfter } from '../../src/core/retry-after.ts'
import { parseRoutingKeys } from '../../src/core/routing-key.ts'
import { createSecret } from '../../src/core/secret.ts'
import { parseTimestamp } from '../../src/core/timestamp.ts'
import { readCommit } from '../../src/ci/detect-build.ts'
import { repositoryPage } from '../../src/ci/repository-url.ts'
import { trimValue } from '../../src/config/setting.ts'
import {
  parseDetail,
  parseDurationMs,
  parseExitCodes,
  parseImage,
  parseLink,
} from '../../src/config/parsers.ts'
import { readEvent } from '../../src/core/normalize-event.ts'
import { replaceReferences } from '../../src/core/event-document.ts'
import { checkTemplate, defaultSummary, renderTemplate, type SummaryFacts } from '../../src/core/summary.ts'
import { secretValues } from '../../src/core/secret-values.ts'
import { refuseForeign } from '../../src/relay/guards.ts'
import { RELAY_LIMITS } from '../../src/relay/limits.ts'
import { readOutcomeBody } from '../../src/relay/routes/outcome-body.ts'
import { parseObject } from '../../src/relay/body.ts'
import { parseForm } from '../../src/relay/parse-form.ts'
import { assertLinear, HOSTILE_BODIES, HOSTILE_TEXTS } from '../support/hostile.ts'

const factsWith = (text: string): SummaryFacts => ({
  build: { commitMessage: text, repository: text, branch: text, commit: text, committer: text, origins: {} },
  result: {},
})

/** As much of an output as is looked at. */
const MASKED_CHARS = 128 * 1024
const OWN_SECRETS = ['a'.repeat(32), ' ab'.repeat(100), '{{{{'].map(createSecret)
const SECRETS = secretValues({
  A_TOKEN: 'aaaaaaaaaaaaaaaa',
  B_TOKEN: 'Xk29 dk3',
  C_KEY: '//////////',
  D_PASS: 'a1\nb2',
})

const MASK = createMask(
  ['0123456789abcdef0123456789abcdef', 'aaaaaaaaaaaaaaaa', 'u+abc/defghij"klm', '          1'].map(
    createSecret,
  ),
)
const eventOf = (text: string): JsonObject => ({
  event_action: 'trigger',
  dedup_key: text,
  client: text,
  client_url: text,
  links: [text, { href: text, text }],
  payload: {
    summary: text,
    source: text,
    severity: 'error',
    class: text,
    timestamp: text,
    custom_details: text,
  },
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
  'a form': (text) => parseForm(text),
  'a form in another charset': (text) => parseForm(text, (bytes) => decodeText(bytes, 'iso-8859-1') ?? ''),
  'a content type': charsetOf,
  'a timestamp': parseTimestamp,
  'an event whose every field is the text': (text) =>
    readEvent('alert', MASK(eventOf(text.slice(0, text.length / 8))), () => ({})),
  'an event of small texts, links and images': (text) => {
    const parts = text.slice(0, text.length / 48).split('')
    return readEvent('alert', MASK({ ...eventOf('s'), links: parts, images: parts, more: parts }), () => ({}))
  },
  'the site that a request comes from': (whole) => {
    const text = whole.slice(0, RELAY_LIMITS.headerBytes)
    return refuseForeign(
      { url: `http://${text}`, headers: { origin: `http://${text}`, host: text }, rawHeaders: [] },
      { names: new Set(), isAnyName: false },
    )
  },
  'what is masked of an output': (text) => maskOutput(text.slice(-MASKED_CHARS), SECRETS),
  'the output of a command': (text) => formatOutput(text, 40, SECRETS),
  'escape sequences': stripControls,
  'one line': oneLine,
  "a server's words": serverWords,
  'an answer that repeats secrets': (text) =>
    describeAnswer({ status: 400, headers: { location: text }, body: text }, OWN_SECRETS),
  'a time to wait': (text) => parseRetryAfter(text, 0),
  'the address of a repository': repositoryPage,
  'a commit': (text) => readCommit({ commitMessage: text, commitDescription: text, origins: {} }),
  'routing keys': parseRoutingKeys,
  'a variable': (text) => trimValue(text),
  'a link': parseLink,
  'an image': parseImage,
  'a detail': parseDetail,
  'a duration': parseDurationMs,
  'exit codes': parseExitCodes,
}

/** Some texts are tried at full length in any case, since some readers treat long texts differently. */
const WHOLE_EVERY = 8

describe('no text of 512,000 bytes holds the event loop for more than 100 ms', () => {
  for (const [name, read] of Object.entries(READERS)) {
    test(name, () => {
      for (const [index, { name: shape, make }] of HOSTILE_TEXTS.entries())
        assertLinear({
          name: shape,
          make,
          work: withoutRefusals(read),
          isWhole: index % WHOLE_EVERY === 0,
        })
    })
  }
})

/** What the relay makes of a body, by its route. */
const ROUTES: Readonly<Record<string, (document: JsonObject) => unknown>> = {
  '/v2/enqueue': (document) => readEvent('alert', document, () => ({})),
  '/v2/change/enqueue': (document) => readEvent('change', document, () => ({})),
  '/success and /failure': readOutcomeBody,
}
describe('no body of 512,000 bytes does', () => {
  for (const [route, read] of Object.entries(ROUTES)) {
    test(route, () => {
      for (const { name, make } of HOSTILE_BODIES)
        assertLinear({
          name,
          make,
          work: (text) => read(cleanObject(parseObject(text) ?? {})),
          isWhole: true,
        })
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
