import { closeSync, openSync, readSync, statSync, type Stats } from 'node:fs'

/** How much of a script is read to find its interpreter: Linux reads 256 bytes itself (BINPRM_BUF_SIZE). */
const LINE_BYTES = 256

/**
 * Why a program could not be started, in words.
 * @param program a path or a name
 * @param code the error of Node's `spawn`; that of a missing program may also mean that its interpreter is missing
 */
export function whyNotStarted(program: string, code: string): string {
  const stat = statOf(program)
  if (code === 'ENOENT' && stat?.isFile() === true) return whyNoInterpreter(program)
  // Node refuses an empty name; a shell says that the command is not found.
  if (code === 'ENOENT' || code === 'ERR_INVALID_ARG_VALUE') return 'command not found'
  if (code === 'EACCES' && stat?.isDirectory() === true) return 'is a directory, not a program'
  if (code === 'EACCES' && stat?.isFile() === true && (stat.mode & 0o111) === 0)
    return 'is not executable; chmod +x makes it so'
  return `cannot be started (${code})`
}

/** Undefined if nothing is at that path, or if it is a name, which is looked for in PATH. */
function statOf(program: string): Stats | undefined {
  try {
    return program.includes('/') ? statSync(program) : undefined
  } catch {
    return undefined
  }
}

function whyNoInterpreter(script: string): string {
  const line = firstLine(script)
  const [interpreter = ''] = line.replace(/^#!\s*/, '').split(/[ \t]/)
  if (!line.startsWith('#!'))
    return 'the loader that it needs is not on this system; it was built for another one'
  return interpreter.endsWith('\r')
    ? 'has Windows line ends (CRLF), so its interpreter is not found; save it with LF'
    : `its interpreter ${interpreter} is not found`
}

/** Empty if the file cannot be read. */
function firstLine(path: string): string {
  const bytes = Buffer.alloc(LINE_BYTES)
  try {
    const fd = openSync(path, 'r')
    const length = readSync(fd, bytes)
    closeSync(fd)
    return bytes.toString('utf8', 0, length).split('\n')[0] ?? ''
  } catch {
    return ''
  }
}
