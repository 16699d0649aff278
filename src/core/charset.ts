/** The Encoding Standard's byte order marks. In that standard `iso-8859-1` means Windows-1252, as everywhere on the web. */
const BYTE_ORDER_MARKS: readonly { readonly bytes: readonly number[]; readonly charset: string }[] = [
  { bytes: [0xef, 0xbb, 0xbf], charset: 'utf-8' },
  { bytes: [0xff, 0xfe], charset: 'utf-16le' },
  { bytes: [0xfe, 0xff], charset: 'utf-16be' },
]

const CHARSET = /;\s*charset\s*=\s*(?:"([^"]*)"|([^\s;"]+))/i

/** The charset that a Content-Type header declares, in lower case; undefined if there is none. */
export function charsetOf(contentType: string | undefined): string | undefined {
  const match = contentType === undefined ? null : CHARSET.exec(contentType)
  return (match?.[1] ?? match?.[2])?.trim().toLowerCase()
}

/**
 * Decodes bytes as text. A byte order mark takes precedence over the declared charset and is not part of the text; the
 * default is UTF-8. Bytes that are not valid in the charset become U+FFFD.
 * @param charset as declared, a label of the Encoding Standard
 * @returns undefined for an unknown charset
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
