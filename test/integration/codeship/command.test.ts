import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('../../..', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'codeship command '))
after(() => rmSync(folder, { recursive: true }))

/** A project of somebody else's, whose image is nowhere. */
const PROJECT = join(folder, 'a project')
mkdirSync(PROJECT)
writeFileSync(join(PROJECT, 'codeship-services.yml'), 'app:\n  image: registry.example.com/theirs:1\n')
writeFileSync(join(PROJECT, 'codeship-steps.yml'), '- name: deploy\n  service: app\n  command: ./deploy.sh\n')

/** A Docker that has no image and reaches no registry. */
const DOCKER = `#!/bin/sh
case "$*" in
  version) ;;
  *) echo "Error response from daemon: no such host" >&2; exit 1 ;;
esac
`
writeFileSync(join(folder, 'docker'), DOCKER, { mode: 0o755 })

/** As `npm --prefix … run codeship -- …` does it when it is started in `from`. */
function codeship(
  args: readonly string[],
  from: string,
  path = folder,
): { status: number | null; said: string } {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(ROOT, 'scripts', 'codeship.ts'), ...args],
    {
      cwd: ROOT,
      env: { ...process.env, PATH: [path, process.env['PATH']].join(delimiter), INIT_CWD: from },
      encoding: 'utf8',
    },
  )
  return { status, said: stdout + stderr }
}

for (const [dir, from] of [
  ['.', PROJECT],
  ['a project', folder],
  [PROJECT, ROOT],
] as const)
  test(`--dir ${dir} is relative to where npm was started, and an image that cannot be pulled is reported`, () => {
    const { status, said } = codeship(['--dir', dir, '--tag', 'master'], from)
    assert.equal(status, 78, said)
    assert.ok(said.includes(`(codeship) runs the Codeship files of ${PROJECT}\n`), said)
    assert.match(
      said,
      /^app: the image registry\.example\.com\/theirs:1 is not on this machine and cannot be pulled:$/m,
    )
    assert.match(said, /^Error response from daemon: no such host$/m)
    assert.doesNotMatch(said, /^ +at /m)
  })

test('a folder without Codeship files is named', () => {
  const { status, said } = codeship(['--dir', '.'], folder)
  assert.equal(status, 78)
  assert.ok(said.includes(`${folder} has no codeship-services.yml`), said)
  assert.doesNotMatch(said, /^ +at /m)
})

test('without a Docker daemon it says so', () => {
  const noDocker = join(folder, 'no daemon')
  mkdirSync(noDocker)
  writeFileSync(join(noDocker, 'docker'), '#!/bin/sh\nexit 1\n', { mode: 0o755 })
  const { status, said } = codeship([], ROOT, noDocker)
  assert.deepEqual(
    [status, said],
    [78, 'no Docker daemon answers here; start Docker, or let this user reach it\n'],
  )
})
