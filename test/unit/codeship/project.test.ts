import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { encrypt, parseEncryptionKey } from '../../../tools/codeship/encryption.ts'
import {
  binds,
  buildArguments,
  readProject,
  serviceEnvironment,
  type Project,
} from '../../../tools/codeship/project.ts'

const KEY_TEXT = Buffer.alloc(32, 1).toString('base64')
const KEY = parseEncryptionKey('codeship.aes', KEY_TEXT)
const encrypted = (text: string): string => encrypt(Buffer.from(text), KEY)

const folders: string[] = []
after(() => folders.forEach((folder) => rmSync(folder, { recursive: true })))

function project(files: Readonly<Record<string, string>>, keyPath?: string): Project {
  const folder = mkdtempSync(join(tmpdir(), 'codeship-'))
  folders.push(folder)
  const all = { 'codeship-services.yml': 'app: {image: i}', 'codeship-steps.yml': '[]', ...files }
  for (const [name, text] of Object.entries(all)) if (text !== '') writeFileSync(join(folder, name), text)
  return readProject(folder, keyPath)
}
function environment(of: Project): Record<string, string> {
  return serviceEnvironment(of, of.services.get('app')!)
}

test('environment, then env_file, then encrypted_env_file: the later wins', () => {
  const services = [
    'app:',
    '  image: i',
    '  encrypted_env_file: [c.encrypted, d.encrypted]',
    '  env_file: [a, b]',
    '  environment: {A: "0", B: "0", C: "0", D: "0", E: "0"}',
  ].join('\n')
  const files = {
    'codeship-services.yml': services,
    a: 'B=a\nC=a\nD=a\nE=a\n',
    b: 'C=b\nD=b\nE=b\n',
    'c.encrypted': encrypted('D=c\nE=c\n'),
    'd.encrypted': encrypted('E=d\n'),
    'codeship.aes': KEY_TEXT,
  }
  assert.deepEqual(environment(project(files)), { A: '0', B: 'a', C: 'b', D: 'c', E: 'd' })
})

test('the key may be elsewhere, and is not needed if nothing is encrypted', () => {
  const services = 'app: {image: i, encrypted_env_file: e}'
  const files = { 'codeship-services.yml': services, e: encrypted('A=1'), 'my.aes': `${KEY_TEXT}\n` }
  assert.deepEqual(environment(project(files, 'my.aes')), { A: '1' })
  assert.deepEqual(environment(project({})), {})
})

test('build arguments may be encrypted, in place or in a file', () => {
  const services = `app:\n  build:\n    args: {A: "0", B: "0", C: "0"}\n    encrypted_args: ${encrypted('B=1\nC=1')}\n    encrypted_args_file: e\n`
  const read = project({
    'codeship-services.yml': services,
    e: encrypted('C=2'),
    'codeship.aes': KEY_TEXT,
  })
  const service = read.services.get('app')!
  assert.ok(typeof service.image === 'object')
  assert.deepEqual(buildArguments(read, service, service.image), { A: '0', B: '1', C: '2' })
})

test('volumes belong to the repository, and have to exist', () => {
  const read = project({
    'codeship-services.yml': 'app:\n  image: i\n  volumes:\n    - ./data:/data:ro\n    - cache:/cache\n',
  })
  const service = read.services.get('app')!
  assert.throws(() => binds(read, service, 'p-'), {
    message: 'codeship-services.yml:4: ./data does not exist; create it first',
  })
  mkdirSync(join(read.folder, 'data'))
  assert.deepEqual(binds(read, service, 'p-'), [`${join(read.folder, 'data')}:/data:ro`, 'p-cache:/cache'])
})

test('docker-compose.yml and codeship-steps.json replace missing files', () => {
  const files = {
    'codeship-services.yml': '',
    'docker-compose.yml': 'version: "2"\nservices: {app: {image: i}}',
    'codeship-steps.yml': '',
    'codeship-steps.json': '[{"service": "app", "command": "x"}]',
  }
  assert.equal(project(files).steps.length, 1)
})

const REFUSED: [string, Record<string, string>, RegExp][] = [
  ['no services', { 'codeship-services.yml': '' }, /has no codeship-services\.yml or docker-compose\.yml$/],
  ['no steps', { 'codeship-steps.yml': '' }, /has no codeship-steps\.yml or codeship-steps\.json$/],
  [
    'no environment file',
    { 'codeship-services.yml': 'app: {image: i, env_file: nope}' },
    /^nope: there is no such file/,
  ],
  [
    'no key',
    { 'codeship-services.yml': 'app: {image: i, encrypted_env_file: e}', e: encrypted('A=1') },
    /^codeship\.aes: there is no such file/,
  ],
  [
    'another key',
    {
      'codeship-services.yml': 'app: {image: i, encrypted_env_file: e}',
      e: encrypted(`A=${'SECRET'.repeat(50)}`),
      'codeship.aes': Buffer.alloc(32, 2).toString('base64'),
    },
    /^e: does not decrypt to text/,
  ],
  [
    'a line in an encrypted file that is not KEY=value',
    {
      'codeship-services.yml': 'app: {image: i, encrypted_env_file: e}',
      e: encrypted('A=1\nSECRET\n'),
      'codeship.aes': KEY_TEXT,
    },
    /^e:2: is not KEY=value$/,
  ],
]
for (const [what, files, message] of REFUSED) {
  test(`${what}: the file is named, and nothing secret is`, () => {
    assert.throws(
      () => environment(project(files)),
      (error: Error) => {
        assert.match(error.message, message)
        assert.doesNotMatch(error.message, /SECRET/)
        return true
      },
    )
  })
}
