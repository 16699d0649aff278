import { readFileSync } from 'node:fs'

/** The flags that the image gives to its Node (`PD_NODE_OPTS`), as the Dockerfile sets them. */
export const IMAGE_FLAGS: readonly string[] = readFlags(
  readFileSync(new URL('../Dockerfile', import.meta.url), 'utf8'),
)

/** @throws if the Dockerfile sets none */
function readFlags(dockerfile: string): string[] {
  const flags = /^ENV .*\bPD_NODE_OPTS=(\S+)/m.exec(dockerfile)?.[1]
  if (flags === undefined) throw new Error('the Dockerfile sets no PD_NODE_OPTS')
  return flags.split(' ')
}
