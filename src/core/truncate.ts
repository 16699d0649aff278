/** Marks the place where a text was cut. Three bytes in UTF-8, one UTF-16 unit. */
const ELLIPSIS = '…'

/**
 * The text, or its head and `…`, in at most `maxChars` UTF-16 units. Cut between code points, never inside one.
 */
export function cutChars(text: string, maxChars: number): string {
  if (text.length <= maxChars) return text
  const end = maxChars - ELLIPSIS.length
  return text.slice(0, isLowSurrogate(text, end) ? end - 1 : end) + ELLIPSIS
}

/**
 * The text, or one end of it and `…`, such that its JSON string (quotes and escapes included) has at most `maxBytes`
 * bytes in UTF-8. Under five bytes nothing fits, and `…` alone is given.
 */
export function cutJsonBytes(text: string, maxBytes: number, keep: 'head' | 'tail' = 'head'): string {
  if (text.length * 6 + 2 <= maxBytes || Buffer.byteLength(JSON.stringify(text)) <= maxBytes) return text
  const budget = maxBytes - 2 - Buffer.byteLength(ELLIPSIS)
  return keep === 'head' ? head(text, budget) + ELLIPSIS : ELLIPSIS + tail(text, budget)
}

function head(text: string, budget: number): string {
  let end = 0
  let used = 0
  while (end < text.length) {
    used += escapedBytes(text, end)
    if (used > budget) break
    end += isLowSurrogate(text, end + 1) ? 2 : 1
  }
  return text.slice(0, end)
}

function tail(text: string, budget: number): string {
  let start = text.length
  let used = 0
  while (start > 0) {
    const previous = isLowSurrogate(text, start - 1) ? start - 2 : start - 1
    used += escapedBytes(text, previous)
    if (used > budget) break
    start = previous
  }
  return text.slice(start)
}

/** Bytes that the code point at `index` of a well-formed text takes inside a JSON string. */
function escapedBytes(text: string, index: number): number {
  const code = text.charCodeAt(index)
  if (code === 0x22 || code === 0x5c) return 2
  if (code < 0x20) return '\b\t\n\f\r'.includes(text.charAt(index)) ? 2 : 6
  if (code < 0x80) return 1
  if (code < 0x800) return 2
  return code >= 0xd800 && code <= 0xdbff ? 4 : 3
}

function isLowSurrogate(text: string, index: number): boolean {
  const code = text.charCodeAt(index)
  return code >= 0xdc00 && code <= 0xdfff
}
