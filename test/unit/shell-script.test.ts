import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { JOB_STATUS_WORDS } from '../../src/core/job-status.ts'
import { joinShellScript } from '../../scripts/join-shell-script.ts'
import { version } from '../../src/version.ts'

const script = readFileSync(new URL('../../pagerduty.sh', import.meta.url), 'utf8')

/** curl's options that the script uses, and the version that brought each (curl.se/docs/options-in-versions). */
const CURL_OPTIONS: Readonly<Record<string, string>> = {
  '-q': '5.0',
  '--silent': '4.0',
  '--show-error': '5.9',
  '--tlsv1.2': '7.34.0',
  '--proto': '7.20.2',
  '--max-time': '4.0',
  '--config': '4.10',
  '--header': '5.0',
  '--user-agent': '4.5.1',
  '--dump-header': '5.7',
  '--output': '4.0',
  '--write-out': '6.5',
  '--data-binary': '7.2',
}
const CODESHIP_CURL = [7, 58]

test('curl is given no option that is newer than 7.58', () => {
  const call = /\| curl ([\s\S]*?)>"\$work\/codes"/.exec(script)?.[1] ?? ''
  const options = call.match(/(?<=^|\s)--?[a-z][\w.-]*/g) ?? []
  assert.deepEqual(new Set(options), new Set(Object.keys(CURL_OPTIONS)))
  for (const since of Object.values(CURL_OPTIONS)) {
    const [major = 0, minor = 0] = since.split('.').map(Number)
    assert.ok(major < 7 || (major === 7 && minor <= CODESHIP_CURL[1]!))
  }
})

/** What jq has since 1.6, 1.7 or 1.8 (its NEWS). Codeship Basic has 1.5. */
const NEW_IN_JQ =
  `$ENV $__loc__ $__prog_args @base32d @base64d IN INDEX GROUP_BY abs add/1 ascii builtins capture/2 debug/1
  error/0 getpath/1 gmtime/1 halt halt_error have_decnum have_literal_numbers implode/1 input_line_number isempty limit/1
  localtime ltrim ltrimstr/2 pick rtrim scan/2 skip splits/2 sqrt/1 stderr strflocaltime toarray trim trimstr utf8bytelength
  walk`.split(/\s+/)

test('the jq program calls nothing that is newer than jq 1.5', () => {
  const program = readFileSync(new URL('../../src/shell/events.jq', import.meta.url), 'utf8')
  const code = program.replaceAll(/^#.*$/gm, '')
  const own = new Set([...code.matchAll(/def (\w+)/g)].map(([, name]) => name))
  const words = new Set(code.match(/[$@]?\b\w+\b/g))
  const found = NEW_IN_JQ.filter((name) => !name.includes('/') && words.has(name) && !own.has(name))
  assert.deepEqual(found, [])
  // Before 1.7 every `if` needs its `else`, and `^` stands for the start of any line.
  assert.equal(code.match(/\bif\b/g)?.length, code.match(/\belse\b/g)?.length)
  assert.doesNotMatch(code, /test\("\^/)
})

test('jq is given no option that is newer than 1.5', () => {
  const options = new Set(
    script.match(/--(?:rawfile|args|jsonargs|indent|stream-errors|raw-output0|binary)\b/g),
  )
  assert.deepEqual([...options], [])
})

test('the script says the version of the package', () => {
  assert.equal(/^VERSION=(.*)$/m.exec(script)?.[1], version)
})

test('the script knows the same words for how a job ended as the program', () => {
  const table = /^from_status\(\) \{([\s\S]*?)^\}/m.exec(script)?.[1] ?? ''
  const branches = table.split(';;').map((branch) => branch.split(')'))
  for (const [outcome, words] of Object.entries(JOB_STATUS_WORDS)) {
    const patterns = branches.filter(([, does]) => does?.trim() === `echo ${outcome}`).map(([names]) => names)
    assert.deepEqual(patterns.join(' ').match(/[a-z]+/g), words, outcome)
  }
})

test('the script holds the jq program of src/shell/events.jq; `npm run docs` puts it in', () => {
  assert.equal(script, joinShellScript())
})
