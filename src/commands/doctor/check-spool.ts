import { accessSync, constants, statSync } from 'node:fs'
import { examineSpool } from '../../spool/open.ts'
import { storesSetAside } from '../../spool/files.ts'
import { failed, ok, warning, type Finding } from './finding.ts'

/** Whether a spool can be kept in the directory, and whether what is there already is well. Nothing is changed. */
export async function checkSpool(directory: string): Promise<Finding[]> {
  if (!isWritable(directory)) {
    const detail = 'PAGERDUTY_SPOOL names no directory that can be written to'
    const advice = 'create it, or mount a volume there, owned by the user that runs this program'
    return [failed('spool', 'config', { detail, advice })]
  }
  const problem = await examineSpool(directory)
  const aside = storesSetAside(directory).map((file) =>
    warning(
      'spool',
      `${file} is a damaged spool that was set aside`,
      'recover its events, then remove the file',
    ),
  )
  const advice =
    problem?.kind === 'damaged'
      ? 'recover its events: whoever uses it next sets it aside'
      : 'nothing is kept until then'
  const found =
    problem === undefined
      ? ok('spool', 'the directory can be written to')
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
