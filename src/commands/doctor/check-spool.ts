import { accessSync, constants, statSync } from 'node:fs'
import { examineSpool } from '../../spool/open.ts'
import { failed, ok, warning, type Finding } from './finding.ts'

/** Checks that a spool can be kept in the directory, and that an existing one is intact. Changes nothing. */
export async function checkSpool(directory: string): Promise<Finding[]> {
  if (!isWritable(directory)) {
    const detail = 'PAGERDUTY_SPOOL does not name a writable directory'
    const advice = 'create it, or mount a volume there, owned by the user that runs this program'
    return [failed('spool', 'config', { detail, advice })]
  }
  const { problem, setAside } = await examineSpool(directory)
  const aside = setAside.map((file) =>
    warning(
      'spool',
      `${file} is a damaged spool that was set aside`,
      'recover its events, then remove the file',
    ),
  )
  const advice =
    problem?.kind === 'damaged'
      ? 'recover its events: the next process that uses it sets it aside'
      : 'correct this; until then nothing is kept'
  const found =
    problem === undefined
      ? ok('spool', 'the directory is writable')
      : failed('spool', 'config', { detail: problem.reason, advice })
  return [found, ...aside]
}

function isWritable(directory: string): boolean {
  try {
    accessSync(directory, constants.W_OK | constants.X_OK)
    return statSync(directory).isDirectory()
  } catch {
    return false
  }
}
