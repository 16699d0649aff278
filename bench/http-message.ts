/**
 * The length of an HTTP/1.1 message in characters, from its head.
 * @param text what has arrived of the message, one character for each byte
 * @returns undefined while the head is incomplete
 * @throws if the head has no length
 */
export function messageLength(text: string): number | undefined {
  const headEnd = text.indexOf('\r\n\r\n')
  if (headEnd === -1) return undefined
  const length = /\r\ncontent-length: *(\d+)/i.exec(text)?.[1]
  if (length === undefined) throw new Error(`a message without a length: ${text}`)
  return headEnd + 4 + Number(length)
}
