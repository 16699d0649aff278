import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseCommandLine } from '../../../src/cli/args.ts'
import { Failure } from '../../../src/core/failure.ts'

const ACCEPTED: [string[], Partial<ReturnType<typeof parseCommandLine>>][] = [
  [[], {}],
  [['true'], {}],
  [['pagerduty-alert'], {}],
  [['pagerduty-alert', 'true'], {}],
  [['pagerduty-alert', 'failure'], { command: 'failure' }],
  [['./pagerduty.sh', 'failure'], { command: 'failure' }],
  [['/usr/local/bin/pagerduty-alert', '--json'], { options: { json: true } }],
  [
    ['failure', '--summary', 'a b', '--json'],
    { command: 'failure', options: { summary: ['a b'], json: true } },
  ],
  [['--severity=info', 'failure'], { command: 'failure', options: { severity: ['info'] } }],
  [['--detail', 'a=1', '--detail=b=2'], { options: { detail: ['a=1', 'b=2'] } }],
  [['--summary=-dash'], { options: { summary: ['-dash'] } }],
  [['--status', '-1'], { options: { status: ['-1'] } }],
  [['--summary', ''], { options: { summary: [''] } }],
  [['send', '-'], { command: 'send', operands: ['-'] }],
  [['send', 'e.json'], { command: 'send', operands: ['e.json'] }],
  [['send', '--', '-dashed.json'], { command: 'send', operands: ['-dashed.json'] }],
  [['success', '--'], { command: 'success' }],
  [['run', '--', 'ls', '--', '-l'], { command: 'run', commandLine: ['ls', '--', '-l'] }],
  [['run', '--help', 'ls'], { command: 'help', operands: ['run'], options: { help: true } }],
  [['run', '--help', '--', 'ls'], { command: 'help', operands: ['run'], options: { help: true } }],
  [['help'], { command: 'help' }],
  [['help', 'send'], { command: 'help', operands: ['send'] }],
  [['send', '--help'], { command: 'help', operands: ['send'], options: { help: true } }],
  [['-h'], { command: 'help', options: { help: true } }],
  [['-V'], { options: { version: true } }],
]
for (const [argv, expected] of ACCEPTED) {
  test(`"${argv.join(' ')}" is understood`, () => {
    assert.deepEqual(parseCommandLine(argv), { operands: [], options: {}, ...expected })
  })
}

const REFUSED: [string[], RegExp][] = [
  [['deploy'], /^unknown command deploy; expected one of success, /],
  [['true', 'true'], /^unknown command true/],
  [['succes'], /^unknown command succes; did you mean success\?\nsee pagerduty-alert --help$/],
  [['Failure'], /^unknown command Failure; did you mean failure\?/],
  [['0123456789abcdef0123456789abcdef'], /^unknown command; expected/],
  [['--summry', 'x'], /^unknown option --summry; did you mean --summary\?$/m],
  [['--tokn=SECRET-VALUE'], /^unknown option --tokn/],
  [['--dedupkey=x'], /did you mean --dedup-key\?/],
  [['--hlep'], /did you mean --help\?/],
  [['-q'], /^unknown option -q$/m],
  [['--summary'], /^--summary needs a value/],
  [['--summary', '--json'], /^--summary needs a value \(write --summary=VALUE/],
  [['--json=yes'], /^--json takes no value/],
  [['success', 'SECRET-VALUE'], /^success takes no argument/],
  [['success', '--', 'ls'], /^only run and watch take a command after --\n/],
  [['--', 'success'], /^only run and watch take a command after --\n/],
  [['run', 'ls'], /^run needs its command after --/],
  [['run', '--within', '5', 'minutes', '--', 'ls'], /^run takes no argument before --/],
  [
    ['run', 'ls', '-l', '--color=SECRET-VALUE'],
    /^run needs its command after --: .*\nsee pagerduty-alert help run$/,
  ],
  [['run', '--environment', 'prod', 'ls', '-l'], /^run needs its command after --/],
  [['watch', '--'], /^watch needs its command after --/],
  [['watch', 'ls'], /^watch takes no argument/],
  [['run', '--'], /^run needs its command after --/],
  [['run', '--wrong', '--', 'ls'], /^unknown option --wrong\nsee/],
  [['send', 'a', '--', 'b'], /^send takes one argument at most/],
  [['send', 'a', 'b'], /^send takes one argument at most/],
  [
    ['--wrong', '--json=1', '--summary'],
    /^unknown option --wrong\n--json takes no value\n--summary needs a value/,
  ],
]
for (const [argv, message] of REFUSED) {
  test(`"${argv.join(' ')}" is refused without repeating a value`, () => {
    assert.throws(
      () => parseCommandLine(argv),
      (error) => {
        assert.ok(error instanceof Failure && error.kind === 'usage')
        assert.match(error.message, message)
        assert.match(error.message, /see pagerduty-alert (?:--help|help (?:success|run|send|watch))$/)
        return !/SECRET|0123/.test(error.message)
      },
    )
  })
}
