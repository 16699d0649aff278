/**
 * The ways in which a secret is written besides as it is: percent-encoded, with JSON's escapes (also twice, as JSON
 * within JSON), HTML's and the shell's. Only those that differ from it.
 */
export function spelledForms(value: string): string[] {
  if (/^[\w-]*$/.test(value)) return []
  const json = JSON.stringify(value).slice(1, -1)
  const percent = encodeURIComponent(value.toWellFormed())
  const forms = [
    percent,
    percent.replaceAll(/%[0-9A-F]{2}/g, (byte) => byte.toLowerCase()),
    percent.replaceAll('%20', '+'),
    encodeURI(value.toWellFormed()),
    json,
    JSON.stringify(json).slice(1, -1),
    value.replaceAll('/', String.raw`\/`),
    value.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;'),
    value.replaceAll("'", String.raw`'\''`),
    value.replaceAll(/[^\w@%+=:,./-]/g, String.raw`\$&`), // bash's printf %q
  ]
  return [...new Set(forms)].filter((form) => form !== value)
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

/** The bytes of a value in hexadecimal, in lower case. */
export function hexForm(value: string): string {
  return Buffer.from(value).toString('hex')
}
