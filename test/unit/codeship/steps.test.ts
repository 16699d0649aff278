import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readServices } from '../../../tools/codeship/services.ts'
import { runningSteps } from '../../../tools/codeship/choose-steps.ts'
import { readSteps, type Step, type Steps } from '../../../tools/codeship/steps.ts'
import { parseYaml } from '../../../tools/codeship/yaml.ts'

const { byName: SERVICES } = readServices(parseYaml('s', 'app: {image: a}\ndb: {image: b}\n'))

function read(text: string): Steps {
  return readSteps(parseYaml('codeship-steps.yml', text), SERVICES)
}

/** A step as one line: its type, name, service, command and children. */
function outline(step: Step): string {
  if (step.type === 'push') return `push ${step.name}`
  if (step.type === 'unreadable') return `unreadable ${step.name}: ${step.failure.message}`
  if (step.type === 'run') return `${step.name}@${step.service.name}: ${step.command.join(' ')}`
  return `${step.type} ${step.name} [${step.steps.map(outline).join(', ')}]`
}

const READ: [string, string, string[]][] = [
  [
    'a step is a command in a service',
    '- {name: test, service: app, command: npm test}',
    ['test@app: npm test'],
  ],
  ['true and numbers are words', '- {name: 01, service: app, command: true}', ['01@app: true']],
  [
    'a step without a name is named after its service',
    '- {service: app, command: npm test}',
    ['app-328e123c@app: npm test'],
  ],
  [
    'a group gives its service to its steps',
    '- {name: g, type: serial, service: app, steps: [{name: a, command: x}, {name: b, command: y}]}',
    ['serial g [a@app: x, b@app: y]'],
  ],
  [
    'a parallel group with services runs its steps once for each, side by side',
    '- {name: g, type: parallel, services: [app, db], steps: [{name: a, command: x}, {name: b, command: y}]}',
    ['parallel g [serial g (app) [a@app: x, b@app: y], serial g (db) [a@db: x, b@db: y]]'],
  ],
  [
    'groups nest, and a manual one comes last',
    '- {name: p, type: parallel, steps: [{name: a, service: app, command: x}]}\n' +
      '- {name: m, type: manual, steps: [{name: s, type: serial, service: db, steps: [{name: b, command: y}]}]}',
    ['parallel p [a@app: x]', 'manual m [serial s [b@db: y]]'],
  ],
  [
    'a push step is known by its image',
    '- {service: app, type: push, image_name: acme/app, image_tag: "{{ .Branch }}", registry: r}',
    ['push acme/app'],
  ],
  [
    'a step may run in several services',
    '- {name: a, services: [app, db], command: x}',
    ['serial a [a@app: x, a@db: x]'],
  ],
]
for (const [what, text, expected] of READ) {
  test(what, () => {
    const { steps, notices } = read(text)
    assert.deepEqual(steps.map(outline), expected)
    assert.deepEqual(notices, [])
  })
}

test('tag and exclude belong to steps and to groups', () => {
  const [step, group] = read(
    '- {name: a, service: app, command: x, tag: 1.10, exclude: ^feature}\n' +
      '- {name: g, type: serial, tag: master, steps: [{name: b, service: app, command: x, tag: never}]}',
  ).steps
  assert.deepEqual([step?.tag, step?.exclude, group?.tag], ['1.10', '^feature', 'master'])
})

test('on_fail takes commands of runs and of groups, named or not', () => {
  const [step, group] = read(
    '- {name: a, service: app, command: x, on_fail: [{command: curl -X POST http://a}, {name: page, command: y}]}\n' +
      '- {name: g, type: serial, service: app, steps: [{name: b, command: x}], on_fail: [{command: z}]}',
  ).steps
  assert.ok(step?.type === 'run' && group?.type === 'serial')
  assert.deepEqual(step.onFail, [
    { name: 'a, on_fail 1', command: ['curl', '-X', 'POST', 'http://a'] },
    { name: 'page', command: ['y'] },
  ])
  assert.deepEqual(group.onFail, [{ name: 'g, on_fail 1', command: ['z'] }])
})

test('what Codeship ignores gives a notice with its place', () => {
  const { notices } = read('- name: a\n  service: app\n  command: x\n  encrypted_env_file: b\n')
  assert.deepEqual(notices, ['codeship-steps.yml:4: encrypted_env_file has no effect on Codeship'])
})

test('what is wrong with a step of another tag does not stop a build', () => {
  const { steps } = read(
    '- {name: a, service: app, command: x}\n- {name: b, service: nope, command: "echo \'", tag: release}\n',
  )
  const names = (tag: string): string[] =>
    steps.flatMap((step) => runningSteps(step, { tag, approved: false })).map(({ name }) => name)
  assert.deepEqual(names('main'), ['a'])
  assert.throws(() => names('release'), /codeship-steps\.yml:2: /)
})

test('a step may have several tags, one of which has to match', () => {
  const { steps } = read(
    '- {name: a, service: app, command: x, tag: [main, ^release/], exclude: [release/0]}',
  )
  const runs = (tag: string): boolean =>
    steps.some((step) => runningSteps(step, { tag, approved: false }).length > 0)
  assert.deepEqual(['main', 'release/2', 'release/0', 'dev'].map(runs), [true, true, false, false])
})

test('a matrix runs its steps once for each service, side by side', () => {
  const { steps } = read('- {name: m, type: matrix, services: [app, db], steps: [{name: a, command: x}]}')
  assert.deepEqual(steps.map(outline), ['parallel m [serial m (app) [a@app: x], serial m (db) [a@db: x]]'])
})

const REFUSED: [string, string][] = [
  ['a: b', '1: the file must be a list'],
  ['- a', '1: a step must be a map'],
  ['- name: a\n  service: app', '1: a step needs a command'],
  ['- name: a\n  command: x', '1: a step needs a service'],
  ['- name: a\n  command: x\n  service: nope', '3: there is no service nope'],
  ['- service: app\n  command:', '1: a step needs a command'],
  ['- service: app\n  command: [a, b]', '2: command must be a single value'],
  ['- service: app\n  command: echo "', '2: a quote is not closed'],
  ['- service: app\n  services: [db]\n  command: x', '2: a step has service or services, not both'],
  [
    '- type: diagonal\n  steps: []',
    '1: diagonal is not a type of step; expected one of run, serial, parallel, manual, push',
  ],
  ['- type: serial', '1: a serial step needs steps'],
  ['- type: serial\n  steps: x', '2: steps must be a list'],
  [
    '- type: serial\n  service: app\n  steps:\n    - service: db\n      command: x',
    '4: the group has a service already: app',
  ],
  [
    '- {name: a, service: app, command: x}\n- {name: a, service: app, command: y}',
    '2: the name a is taken by the step at codeship-steps.yml:1',
  ],
  ['- {type: manual, steps: []}\n- {service: app, command: x}', '1: a manual step must be the last one'],
  [
    '- service: app\n  command: x\n  on_fail:\n    - service: db\n      command: y',
    '4: on_fail runs in the service of the step that failed; leave service out',
  ],
]
for (const [text, message] of REFUSED) {
  test(`${JSON.stringify(text)} is refused with file and line`, () => {
    assert.throws(
      () => read(text).steps.flatMap((step) => runningSteps(step, { tag: 'main', approved: true })),
      (error: Error) => {
        assert.ok(error.message.startsWith(`codeship-steps.yml:${message}`), error.message)
        return true
      },
    )
  })
}
