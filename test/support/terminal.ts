import { spawn } from 'node:child_process'
import { once } from 'node:events'

/**
 * Runs a command on a new terminal (util-linux's `script`), which is its stdin, stdout and stderr.
 * @param env the whole environment but for the `PATH`; nothing else is inherited
 * @returns the exit status and all that was on the screen
 */
export async function runOnTerminal(
  words: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<{ code: number; screen: string }> {
  // The words are handed over as the shell's own parameters, so that none of them needs quotes.
  const shell = { PATH: process.env['PATH'], SHELL: '/bin/sh', WORDS: words.join('\n') }
  const command = 'IFS="\n"; set -f; set -- $WORDS; unset WORDS SHELL; exec "$@"'
  const child = spawn('script', ['-qec', command, '/dev/null'], { env: { ...env, ...shell } })
  let screen = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (screen += text))
  const [code] = (await once(child, 'close')) as [number]
  return { code, screen: screen.replaceAll('\r\n', '\n') }
}
