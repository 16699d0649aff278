import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readServices, type Service, type Services } from '../../../tools/codeship/services.ts'
import { startOrder } from '../../../tools/codeship/start-order.ts'
import { parseYaml } from '../../../tools/codeship/yaml.ts'

function read(text: string): Services {
  return readServices(parseYaml('codeship-services.yml', text))
}
function service(text: string): Service {
  return read(`app:\n  ${text.trim().replaceAll('\n', '\n  ')}\n`).byName.get('app')!
}

test('services stand at the top level or under "services", and mean the same', () => {
  const flat = read('version: "2"\nweb:\n  image: a\ndb:\n  image: b\n')
  const nested = read('version: "3.5"\nservices:\n  web:\n    image: a\n  db:\n    image: b\nvolumes: {}\n')
  const images = ({ byName }: Services): unknown => [...byName].map(([name, { image }]) => [name, image])
  assert.deepEqual(images(flat), images(nested))
  assert.deepEqual([flat.notices, nested.notices], [[], []])
})

const BUILDS: [string, object][] = [
  ['build: .', { context: '.', dockerfile: 'Dockerfile', args: {} }],
  ['build: sub\ndockerfile: Dockerfile.ci', { context: 'sub', dockerfile: 'Dockerfile.ci', args: {} }],
  ['build:\n  path: sub\n  dockerfile_path: D', { context: 'sub', dockerfile: 'D', args: {} }],
  ['build:\n  image: ours\n  dockerfile: D', { context: '.', dockerfile: 'D', args: {} }],
  [
    'build:\n  context: .\n  args:\n    BRANCH: "{{ .Branch }}"\n    N: 1.10\n  encrypted_args_file: a.encrypted',
    {
      context: '.',
      dockerfile: 'Dockerfile',
      args: { BRANCH: '{{ .Branch }}', N: '1.10' },
      encryptedArgsFile: 'a.encrypted',
    },
  ],
  [
    'build:\n  encrypted_args: AAEC',
    { context: '.', dockerfile: 'Dockerfile', args: {}, encryptedArgs: 'AAEC' },
  ],
]
for (const [text, expected] of BUILDS) {
  test(`${JSON.stringify(text)} says how the image is built`, () => {
    assert.deepEqual(service(text).image, expected)
  })
}

test('an environment is a map or a list, of texts, numbers and booleans', () => {
  const expected = { A: '1.10', B: 'true', C: '', D: 'x=y', E: null }
  assert.deepEqual(
    service('image: i\nenvironment:\n  A: 1.10\n  B: true\n  C: ""\n  D: x=y\n  E:').environment,
    expected,
  )
  assert.deepEqual(
    service('image: i\nenvironment:\n  - A=1.10\n  - B=true\n  - C=\n  - D=x=y\n  - E').environment,
    expected,
  )
})

test('environment files are one or several', () => {
  const one = service('image: i\nenv_file: a\nencrypted_env_file: b.encrypted')
  const several = service('image: i\nenv_file: [a, b]\nencrypted_env_file: [c, d]')
  assert.deepEqual([one.envFiles, one.encryptedEnvFiles], [['a'], ['b.encrypted']])
  assert.deepEqual(
    [several.envFiles, several.encryptedEnvFiles],
    [
      ['a', 'b'],
      ['c', 'd'],
    ],
  )
})

test('volumes are folders of the repository, named, or the container’s own', () => {
  const { volumes } = service(
    'image: i\nvolumes:\n  - ./:/app:z\n  - data:/data:ro\n  - tmp/a:/a\n  - /cache\n' +
      '  - {type: bind, source: ./src, target: /src, read_only: true}\n  - {type: volume, target: /v}',
  )
  assert.deepEqual(
    volumes.map(({ host, name, container, readOnly }) => ({
      ...(host && { host }),
      ...(name && { name }),
      container,
      readOnly,
    })),
    [
      { host: './', container: '/app', readOnly: false },
      { name: 'data', container: '/data', readOnly: true },
      { host: 'tmp/a', container: '/a', readOnly: false },
      { container: '/cache', readOnly: false },
      { host: './src', container: '/src', readOnly: true },
      { container: '/v', readOnly: false },
    ],
  )
})

test('keys with nothing after them are as good as absent', () => {
  const blank = 'environment env_file encrypted_env_file volumes depends_on links command entrypoint user'
  assert.deepEqual(service(`image: i\n${blank.split(' ').join(':\n')}:`), service('image: i'))
})

test('dependencies may be a map of names to conditions', () => {
  const { dependencies } = service('image: i\ndepends_on: {db: {condition: service_healthy}, cache: {}}')
  assert.deepEqual(dependencies, [{ name: 'db' }, { name: 'cache' }])
})

test('what anchors refer to, and what Docker Compose keeps next to services, is not a service', () => {
  const { byName, notices } = read(
    'version: "2.1"\nx-common: &common\n  image: i\n  x-note: 1\nvolumes:\n  data:\nnetworks: {}\napp:\n  <<: *common\n',
  )
  assert.deepEqual([...byName.keys()], ['app'])
  assert.equal(byName.get('app')?.image, 'i')
  assert.deepEqual(notices, [])
})

test('what is wrong with a service that a step does not need stays with it', () => {
  const { byName } = read(
    'app: {image: i, depends_on: [db]}\ndb: {image: i}\n' +
      'deploy: {image: i, add_docker: true, volumes: ["/etc:/etc"]}\nlost: {image: i, depends_on: [nope]}\n',
  )
  assert.deepEqual(
    startOrder(byName, byName.get('app')!).map(({ name }) => name),
    ['db'],
  )
  assert.throws(() => startOrder(byName, byName.get('deploy')!), /add_docker is not supported here/)
  assert.throws(() => startOrder(byName, byName.get('lost')!), /lost needs nope/)
})

test('commands and entrypoints are split without a shell, or given as lists', () => {
  const text = service(`image: i\nentrypoint: sh -c\ncommand: "echo 'a b'"`)
  const list = service('image: i\nentrypoint: [sh, -c]\ncommand: [echo, a b]')
  for (const { entrypoint, command } of [text, list])
    assert.deepEqual(
      [entrypoint, command],
      [
        ['sh', '-c'],
        ['echo', 'a b'],
      ],
    )
  assert.deepEqual(service('image: i\ncommand: true').command, ['true'])
})

test('the start order puts every dependency before what needs it, once', () => {
  const { byName } = read(
    'app: {image: i, depends_on: [api, cache], links: ["db:database"]}\n' +
      'api: {image: i, depends_on: [db]}\ndb: {image: i}\ncache: {image: i, depends_on: [db]}\nother: {image: i}\n',
  )
  assert.deepEqual(
    startOrder(byName, byName.get('app')!).map(({ name }) => name),
    ['db', 'api', 'cache'],
  )
  assert.deepEqual(byName.get('app')?.dependencies, [
    { name: 'api' },
    { name: 'cache' },
    { name: 'db', alias: 'database' },
  ])
})

test('what Codeship ignores gives a notice with its place, and what only concerns its machines gives none', () => {
  const { notices } = read(
    'app:\n  image: i\n  privileged: true\n  ports:\n    - "80"\n  cached: true\n  add_docker: false\n',
  )
  assert.deepEqual(notices, [
    'codeship-services.yml:3: privileged has no effect on Codeship',
    'codeship-services.yml:5: ports has no effect on Codeship',
  ])
})

const REFUSED: [string, string][] = [
  ['- app', 'codeship-services.yml:1: the file must be a map'],
  ['app: image', 'codeship-services.yml:1: the service app must be a map'],
  ['app:\n  user: x', 'codeship-services.yml:2: the service app has neither image nor build'],
  ['app:\n  image: i\n  build: .', 'codeship-services.yml:3: the service app has both image and build'],
  ['app:\n  image: i\n  add_docker: true', 'codeship-services.yml:3: add_docker is not supported here'],
  [
    'app:\n  image: i\n  encrypted_environment: {A: b}',
    'codeship-services.yml:3: encrypted_environment is not supported',
  ],
  ['app:\n  image: i\n  volumes_from: [data]', 'codeship-services.yml:3: volumes_from is not supported'],
  [
    'app:\n  image: i\n  volumes:\n    - /etc:/etc',
    'codeship-services.yml:4: a volume must be a folder of the repo',
  ],
  [
    'app:\n  image: i\n  volumes:\n    - a/../../b:/b',
    'codeship-services.yml:4: a volume must be a folder of the repo',
  ],
  [
    'app:\n  image: i\n  environment: A=SECRET',
    'codeship-services.yml:3: environment must be a map or a list',
  ],
  [
    'app:\n  image: i\n  environment:\n    - "SECRET KEY"',
    'codeship-services.yml:4: environment has an entry that is not',
  ],
  ['app:', 'codeship-services.yml:1: the service app must be a map'],
  ['app:\n  image: i\n  command: "echo \'"', 'codeship-services.yml:3: a quote is not closed'],
  ['app:\n  image: i\n  depends_on: db', 'codeship-services.yml:3: depends_on must be a list'],
  ['app:\n  image: i\n  depends_on: [db]', 'codeship-services.yml:2: app needs db, which is not in the file'],
  [
    'a: {image: i, depends_on: [b]}\nb: {image: i, links: [a]}',
    'codeship-services.yml:1: a needs b needs a: the services depend on each other in a circle',
  ],
]
for (const [text, message] of REFUSED) {
  test(`${JSON.stringify(text)} is refused with file and line`, () => {
    assert.throws(
      () => {
        const { byName } = read(text)
        const [first] = byName.values()
        startOrder(byName, first!)
      },
      (error: Error) => {
        assert.ok(error.message.startsWith(message), error.message)
        assert.doesNotMatch(error.message, /SECRET/)
        return true
      },
    )
  })
}
