import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('../../..', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'codeship-'))
after(() => rmSync(folder, { recursive: true }))
const inFolder = (name: string): string => join(folder, name)
const PLAINTEXT = 'PAGERDUTY_TOKEN=SECRET\n'

/** As `npm --prefix … run NAME -- …` does it when it is started in `folder`. */
function convert(name: string, ...args: string[]): { status: number | null; said: string } {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(ROOT, 'scripts', `${name}.ts`), ...args],
    {
      cwd: ROOT,
      env: { ...process.env, INIT_CWD: folder },
      encoding: 'utf8',
    },
  )
  return { status, said: stdout + stderr }
}

writeFileSync(inFolder('codeship.aes'), Buffer.alloc(32, 1).toString('base64'))
writeFileSync(inFolder('env'), PLAINTEXT)

test('a file is encrypted and decrypted in the folder where npm was started, for its owner only', () => {
  assert.deepEqual(convert('encrypt', 'env', 'env.encrypted'), { status: 0, said: 'env.encrypted written\n' })
  assert.match(readFileSync(inFolder('env.encrypted'), 'utf8'), /^[A-Za-z0-9+/]{51,}=*$/)
  assert.deepEqual(convert('decrypt', 'env.encrypted', 'env.plain'), {
    status: 0,
    said: 'env.plain written\n',
  })
  assert.equal(readFileSync(inFolder('env.plain'), 'utf8'), PLAINTEXT)
  assert.equal(statSync(inFolder('env.plain')).mode & 0o077, 0)
})

test('the repository’s own env.encrypted holds a made-up routing key, and nothing else', () => {
  const [file, key] = ['env.encrypted', 'codeship.aes'].map((name) => join(ROOT, name)) as [string, string]
  assert.equal(convert('decrypt', file, 'own', '--key-path', key).status, 0)
  const lines = readFileSync(inFolder('own'), 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
  assert.deepEqual(lines, [`PAGERDUTY_TOKEN=${'0demo'.repeat(6)}00`])
})

test('--help says how it is used', () => {
  assert.deepEqual(convert('encrypt', '--help'), {
    status: 0,
    said: 'usage: npm run encrypt -- IN OUT [--key-path FILE]\n',
  })
})

const REFUSED: [string, string[], number, RegExp][] = [
  ['no file', [], 64, /^usage: npm run decrypt -- IN OUT \[--key-path FILE\]$/],
  ['one file', ['env'], 64, /^usage: /],
  ['three files', ['a', 'b', 'c'], 64, /^usage: /],
  ['an unknown option', ['a', 'b', '--force'], 64, /^usage: /],
  ['a missing file', ['nope', 'x'], 78, /^nope cannot be read: there is no such file or folder$/],
  [
    'a missing key',
    ['env', 'x', '--key-path', 'nope'],
    78,
    /^nope cannot be read: .*; save the AES key of Codeship’s/,
  ],
  ['a key that is none', ['env', 'x', '--key-path', 'env'], 78, /^env: is not an AES key/],
  ['a file that is not encrypted', ['env', 'x'], 78, /^env: is not a file that/],
  ['a folder that does not exist', ['env.encrypted', 'nope/x'], 78, /^nope\/x cannot be written/],
]
for (const [what, args, expected, message] of REFUSED) {
  test(`${what}: one clear line, and no secret in it`, () => {
    const { status, said } = convert('decrypt', ...args)
    assert.equal(status, expected)
    assert.match(said.trimEnd(), message)
    assert.doesNotMatch(said, /SECRET|\n./)
  })
}
