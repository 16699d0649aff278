/** A percent-encoded text decoded; the text itself if it is not validly encoded, as with a lone `%`. */
export function percentDecode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
