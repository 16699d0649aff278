import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { suite, test } from 'node:test'
import { baseImageArgs, disposableImages, docker, skipWithoutDocker } from '../support/docker.ts'
import { BUILD_ARGS, buildImage, evaluateInside } from './image.ts'

/** Path, mode, owner and hash of every file, without the folders in which Docker and the kernel place some of theirs. */
const CONTENTS = `['opt', 'usr', 'tmp'].flatMap((top) =>
  fs.readdirSync('/' + top, { recursive: true }).toSorted().map((name) => {
    const path = '/' + top + '/' + name
    const { mode, uid, gid } = fs.lstatSync(path)
    const content = fs.statSync(path).isFile() ? fs.readFileSync(path) : ''
    return [path, mode, uid, gid, process.getBuiltinModule('node:crypto').hash('sha256', content)].join(' ')
  }))`

/** Builds the image again without what Docker kept of earlier builds: every stage follows from the first. */
async function buildAfresh(buildOptions: readonly string[]): Promise<string> {
  const dockerfile = await readFile(new URL('../../Dockerfile', import.meta.url), 'utf8')
  const changed = dockerfile.replace(/^FROM \S+ AS runtime$/m, `$&\nLABEL afresh=${randomUUID()}`)
  assert.notEqual(changed, dockerfile)
  const given = Object.entries(BUILD_ARGS).flatMap(([name, value]) => ['--build-arg', `${name}=${value}`])
  const args = ['build', '--quiet', '--file', '-', ...buildOptions, ...(await baseImageArgs()), ...given, '.']
  return (await docker(args, changed)).trim()
}

suite('the image, built twice', { skip: await skipWithoutDocker() }, () => {
  test('holds the same files, V8’s compiled code included', async (t) => {
    const { buildOptions, remove } = disposableImages()
    t.after(remove)
    const contents = (await evaluateInside(await buildImage(), CONTENTS)) as string[]
    assert.ok(contents.some((line) => line.includes('/dist/code-cache/serve.js ')))
    assert.deepEqual(await evaluateInside(await buildAfresh(buildOptions), CONTENTS), contents)
  })
})
