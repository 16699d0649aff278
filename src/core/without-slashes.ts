/** An address without the slashes at its end. An expression would look for the end of every run of slashes in it. */
export function withoutSlashes(address: string): string {
  let end = address.length
  while (address.charAt(end - 1) === '/') end -= 1
  return address.slice(0, end)
}
