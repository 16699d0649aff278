/**
 * The ways in which a secret is written besides as it is: percent-encoded, with JSON's escapes (also twice, as JSON
 * within JSON), HTML's and the shell's. Libraries differ in what they escape. Only those that differ from it.
 */
export function spelledForms(value: string): string[] {
  if (/^[\w-]*$/.test(value)) return []
  const forms = [
    ...percentForms(value.toWellFormed()),
    ...jsonForms(value),
    ...htmlForms(value),
    value.replaceAll("'", String.raw`'\''`),
    value.replaceAll(/[^\w@%+=:,./-]/g, String.raw`\$&`), // bash's printf %q
  ]
  return [...new Set(forms)].filter((form) => form !== value)
}

function percentForms(value: string): string[] {
  const lenient = encodeURIComponent(value)
  // RFC 3986 reserves five more characters, which Python, PHP and Go encode.
  const strict = lenient.replaceAll(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)
  const variants = [lenient, strict].flatMap((form) => [
    form,
    form.replaceAll(/%[0-9A-F]{2}/g, (byte) => byte.toLowerCase()),
    form.replaceAll('%20', '+'),
    form.replaceAll('%2F', '/'), // Python
  ])
  const form = strict.replaceAll('%20', '+').replaceAll('%2A', '*') // a browser’s form
  return [...variants, form, encodeURI(value)]
}

function jsonForms(value: string): string[] {
  const json = JSON.stringify(value).slice(1, -1)
  const ascii = json.replaceAll(/[^ -~]/g, unicodeEscape)
  const backslashes = value.replaceAll('\\', String.raw`\\`)
  return [
    json,
    JSON.stringify(json).slice(1, -1),
    ascii, // Python
    JSON.stringify(ascii).slice(1, -1),
    ascii.replaceAll('/', String.raw`\/`), // PHP
    value.replaceAll('/', String.raw`\/`),
    json.replaceAll(/[&<>]/g, unicodeEscape), // Go
    backslashes.replaceAll(/["&'+<>`]|[^ -~]/g, (char) =>
      unicodeEscape(char).toUpperCase().replace('U', 'u'),
    ), // .NET
    backslashes.replaceAll("'", String.raw`\'`), // a literal in Python or JavaScript
  ]
}

function unicodeEscape(char: string): string {
  return `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`
}

function htmlForms(value: string): string[] {
  const named = value.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
  const quoted = named.replaceAll('"', '&quot;')
  return [
    quoted,
    quoted.replaceAll("'", '&#39;'),
    quoted.replaceAll("'", '&#x27;'), // Python
    named.replaceAll('"', '&#34;').replaceAll("'", '&#39;'), // Go
  ]
}

/** The bytes of a value in hexadecimal, in lower and in upper case. */
export function hexForms(value: string): string[] {
  const hex = Buffer.from(value).toString('hex')
  return [hex, hex.toUpperCase()]
}

/**
 * Base64 of a value, in both alphabets, whatever is encoded before and after it: for each of the three places that its
 * first byte can have in a group of three, the characters that depend on the value alone.
 */
export function base64Forms(value: string): string[] {
  const bytes = Buffer.from(value)
  const forms = [0, 1, 2].flatMap((before) => {
    const encoded = Buffer.concat([Buffer.alloc(before), bytes]).toString('base64url')
    const form = encoded.slice(Math.ceil((before * 8) / 6), Math.floor(((before + bytes.length) * 8) / 6))
    return [form, form.replaceAll('-', '+').replaceAll('_', '/')]
  })
  return [...new Set(forms)]
}
