import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createKnownSearch } from '../../../src/core/find-known.ts'
import { spelledForms } from '../../../src/core/secret-forms.ts'

/** A password with every character that some encoder escapes and another does not. */
const PASSWORD = String.raw`Pä's"s\w/o&r<d>! (1)*+`

/** What the encoders of common languages make of it. */
const SPELLINGS: readonly [encoder: string, text: string][] = [
  ['encodeURIComponent', encodeURIComponent(PASSWORD)],
  ['encodeURI', encodeURI(PASSWORD)],
  ['URLSearchParams', 'P%C3%A4%27s%22s%5Cw%2Fo%26r%3Cd%3E%21+%281%29*%2B'],
  ['PHP’s rawurlencode', 'P%C3%A4%27s%22s%5Cw%2Fo%26r%3Cd%3E%21%20%281%29%2A%2B'],
  ['Go’s QueryEscape', 'P%C3%A4%27s%22s%5Cw%2Fo%26r%3Cd%3E%21+%281%29%2A%2B'],
  ['Python’s quote', 'P%C3%A4%27s%22s%5Cw/o%26r%3Cd%3E%21%20%281%29%2A%2B'],
  ['curl in lower case', 'P%c3%a4%27s%22s%5cw%2fo%26r%3cd%3e%21%20%281%29%2a%2b'],
  ['JSON.stringify', JSON.stringify(PASSWORD)],
  ['JSON in JSON', JSON.stringify(JSON.stringify(PASSWORD))],
  ['Python’s json.dumps', String.raw`"P\u00e4's\"s\\w/o&r<d>! (1)*+"`],
  ['Python’s json.dumps, twice', String.raw`"\"P\\u00e4's\\\"s\\\\w/o&r<d>! (1)*+\""`],
  ['Python’s repr', String.raw`'Pä\'s"s\\w/o&r<d>! (1)*+'`],
  ['PHP’s json_encode', String.raw`"P\u00e4's\"s\\w\/o&r<d>! (1)*+"`],
  ['Go’s json.Marshal', String.raw`"Pä's\"s\\w/o\u0026r\u003cd\u003e! (1)*+"`],
  ['.NET’s JsonSerializer', String.raw`"P\u00E4\u0027s\u0022s\\w/o\u0026r\u003Cd\u003E! (1)*\u002B"`],
  ['a template engine', 'Pä&#39;s&quot;s\\w/o&amp;r&lt;d&gt;! (1)*+'],
  ['Python’s html.escape', 'Pä&#x27;s&quot;s\\w/o&amp;r&lt;d&gt;! (1)*+'],
  ['Go’s html.EscapeString', 'Pä&#39;s&#34;s\\w/o&amp;r&lt;d&gt;! (1)*+'],
  ['a shell’s trace', String.raw`+ mysql '-pPä'\''s"s\w/o&r<d>! (1)*+'`],
]
for (const [encoder, text] of SPELLINGS)
  test(`a password is found as ${encoder} writes it`, () => {
    const [range = { start: 0, end: 0 }] = createKnownSearch([PASSWORD])(text)
    const rest = text.slice(0, range.start) + text.slice(range.end)
    assert.match(rest, /^(?:\+ mysql '-p)?["'\\]*$/, rest)
  })

test('a secret of letters and digits has one spelling', () =>
  assert.deepEqual(spelledForms('abc-DEF_123'), []))
