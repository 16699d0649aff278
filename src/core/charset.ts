/** Decodes as much as the Encoding Standard knows; `iso-8859-1` is Windows-1252 there, as everywhere on the web. */
const BYTE_ORDER_MARKS: readonly { readonly bytes: readonly number[]; readonly charset: string }[] = [
  { bytes: [0xef, 0xbb, 0xbf], charset: 'utf-8' },
  { bytes: [0xff, 0xfe], charset: 'utf-16le' },
  { bytes: [0xfe, 0xff], charset: 'utf-16be' },
]

const CHARSET = /;\s*charset\s*=\s*(?:"([^"]*)"|([^\s;"]+))/i

/** The charset that a Content-Type header declares, in lower case; undefined where it declares none. */
export function charsetOf(contentType: string | undefined): string | undefined {
  const match = contentType === undefined ? null : CHARSET.exec(contentType)
  return (match?.[1] ?? match?.[2])?.trim().toLowerCase()
}

/**
 * The text that bytes hold. A byte order mark decides on the charset before what is declared, and is not part of the text;
 * where neither is there it is UTF-8. What is no text in that charset becomes U+FFFD.
 * @param charset as declared, a label of the Encoding Standard
 * @returns undefined for a charset that nobody knows
 */
export function decodeText(bytes: Buffer, charset = 'utf-8'): string | undefined {
  const marked = BYTE_ORDER_MARKS.find((mark) => mark.bytes.every((byte, index) => bytes[index] === byte))
  const effective = marked?.charset ?? charset
  if (effective === 'utf-8' || effective === 'utf8')
    return bytes.toString('utf8', marked === undefined ? 0 : marked.bytes.length)
  try {
    const decoder = new TextDecoder(effective)
    // As a stream, since Node 22 otherwise takes Windows-1252 for ISO-8859-1: https://github.com/nodejs/node/issues/56542
    return decoder.decode(bytes, { stream: true }) + decoder.decode()
  } catch (error) {
    if (error instanceof RangeError) return undefined
    throw error
  }
}
