/**
 * How many characters an HTTP/1.1 message has whose length its head tells.
 * @param text the message as far as it has come, one character for each byte
 * @returns undefined as long as the head is not whole
 * @throws if the head does not tell a length
 */
export function messageLength(text: string): number | undefined {
  const headEnd = text.indexOf('\r\n\r\n')
  if (headEnd === -1) return undefined
  const length = /\r\ncontent-length: *(\d+)/i.exec(text)?.[1]
  if (length === undefined) throw new Error(`a message without a length: ${text}`)
  return headEnd + 4 + Number(length)
}
