import type { EventBody } from '../src/core/event.ts'
import { readFixture } from '../test/support/ci-fixtures.ts'
import { failedRun } from './events-page.ts'
import { arrow, box, pill, svg, text } from './svg.ts'

/** The pictures of the documentation by their names in `docs/pictures`; a test compares them. */
export async function pictures(): Promise<Readonly<Record<string, string>>> {
  const [env] = readFixture('codeship-pro')[0] ?? [{}]
  const [failure] = await failedRun(env)
  return { 'overview.svg': overview(), 'sidecar.svg': sidecar(), 'alert.svg': alert(failure?.body ?? {}) }
}

/** The details that responders look at first, in that order; there is no room for all. */
const SHOWN_DETAILS = [
  'environment',
  'branch',
  'commit_message',
  'committer',
  'exit_code',
  'duration_seconds',
  'output',
]

/** The alert of a failed `run` as PagerDuty shows it: the event is the program's own. */
function alert({ payload, links = [], client = '' }: EventBody): string {
  const { summary = '', severity = '', source = '', custom_details: details = {} } = payload ?? {}
  const rows = SHOWN_DETAILS.flatMap((name) =>
    String(details[name])
      .split('\n')
      .filter((line) => line !== '' && (name === 'output' || line === firstLine(details[name])))
      .map((line, index) => [index === 0 ? name : '', line] as const),
  )
  const [title = '', cause = ''] = summary.split(/ (?=\()/)
  const top = 168
  return svg({
    width: 900,
    height: top + rows.length * 24 + 78,
    alt: `An alert in PagerDuty: ${summary}. Below it: ${SHOWN_DETAILS.join(', ')}; links to ${links.map(({ text: label }) => label).join(', ')}.`,
    parts: [
      pill(28, 26, 'TRIGGERED', 'red'),
      text(140, 42, `severity ${severity} · source ${source} · service Shop`, 'small'),
      text(28, 82, title, 'title'),
      text(28, 106, cause, 'title'),
      '<line class="rule" x1="28" y1="126" x2="872" y2="126"/>',
      text(28, 150, 'Details', 'strong'),
      ...rows.flatMap(([name, line], index) => [
        text(28, top + 10 + index * 24, name, 'code'),
        text(220, top + 10 + index * 24, line, name === 'output' || name === '' ? 'code' : ''),
      ]),
      `<line class="rule" x1="28" y1="${top + rows.length * 24 + 8}" x2="872" y2="${top + rows.length * 24 + 8}"/>`,
      text(28, top + rows.length * 24 + 38, 'Links', 'strong'),
      ...[...links.map(({ text: label = '' }) => label), `View in ${client}`].map((label, index) =>
        text(110 + index * 190, top + rows.length * 24 + 38, label, 'blue'),
      ),
    ],
  })
}

function firstLine(value: unknown): string {
  return String(value).split('\n')[0] ?? ''
}

/**
 * A deployment that fails twice and then succeeds: what the pipeline runs, and what PagerDuty shows. Below that, the same
 * through the sidecar.
 */
function overview(): string {
  return svg({
    width: 900,
    height: 452,
    alt:
      'A deployment fails: pagerduty-alert failure triggers one alert, and the person on call is paged. It fails again: the ' +
      'same alert is updated, and nobody is paged twice. It succeeds: pagerduty-alert success resolves the alert and leaves a ' +
      'change event, which pages nobody. Or through the sidecar: your container posts to it without a key, and it sends the ' +
      'events to PagerDuty.',
    parts: [
      text(28, 40, 'Your pipeline', 'title'),
      ...step(64, '10:02', 'The deployment fails', 'failure'),
      ...step(150, '10:20', 'It fails again', 'failure'),
      ...step(236, '10:41', 'It succeeds', 'success'),
      text(380, 40, 'PagerDuty', 'title'),
      box([376, 64, 500, 152], 'red'),
      pill(396, 76, 'TRIGGERED', 'red'),
      text(506, 92, 'One alert, and the person on call is paged.'),
      text(396, 128, 'Deployment of acme/shop@5f0c1d2 to production failed', 'strong'),
      '<line class="rule" x1="396" y1="149" x2="856" y2="149"/>',
      text(396, 175, 'Still the same alert, updated by the second failure.'),
      text(396, 198, 'Nobody is paged twice.', 'small'),
      box([376, 236, 500, 66], 'green'),
      pill(396, 245, 'RESOLVED', 'green'),
      text(498, 261, 'The alert closes on its own. Nobody is paged.'),
      text(396, 289, 'Change event', 'blue strong'),
      text(522, 289, 'Deployed acme/shop@9a8b7c6 to production', 'small'),
      '<line class="rule" x1="24" y1="330" x2="876" y2="330"/>',
      text(28, 360, 'Or through the sidecar', 'title'),
      ...strip(),
    ],
  })
}

/** One step of the pipeline, with an arrow to what PagerDuty shows for it. */
function step(y: number, time: string, title: string, command: 'failure' | 'success'): string[] {
  const colour = command === 'failure' ? 'red' : 'green'
  return [
    box([24, y, 270, 66], colour),
    text(44, y + 27, time, 'small'),
    text(92, y + 27, title, 'strong'),
    text(44, y + 51, `pagerduty-alert ${command}`, 'code'),
    arrow([298, y + 33], [370, y + 33]),
  ]
}

/** The path through the sidecar, in one line. */
function strip(): string[] {
  return [
    box([24, 376, 270, 52]),
    text(44, 399, 'Your container', 'strong'),
    text(44, 418, 'curl, and no key', 'small'),
    arrow([298, 402], [370, 402]),
    box([376, 376, 270, 52], 'green'),
    text(396, 399, 'pagerduty-alert serve', 'strong'),
    text(396, 418, 'holds the key, and retries', 'small'),
    arrow([650, 402], [722, 402]),
    box([728, 376, 148, 52]),
    text(748, 407, 'PagerDuty', 'strong'),
  ]
}

/** The containers of a build with the relay, and which of them has the key. */
function sidecar(): string {
  return svg({
    width: 900,
    height: 310,
    alt:
      'Two containers of one build. The container that deploys posts to http://pagerduty:8080/success or /failure, and has ' +
      'no key. The container of pagerduty-alert serve has the key from the encrypted environment, keeps events in its spool ' +
      'on disk, and sends them to PagerDuty, again if it has to.',
    parts: [
      text(28, 36, 'Your build', 'title'),
      box([24, 50, 636, 236], undefined, 'zone'),
      box([48, 76, 256, 184]),
      text(68, 104, 'deploy', 'strong'),
      text(68, 126, 'your image, without a key', 'small'),
      text(68, 166, './deploy.sh', 'code'),
      text(68, 194, 'curl -X POST', 'code'),
      text(84, 214, 'http://pagerduty:8080', 'code'),
      text(84, 234, '/success or /failure', 'code'),
      arrow([308, 168], [376, 168]),
      text(322, 158, 'http', 'small'),
      box([382, 76, 254, 184], 'green'),
      text(402, 104, 'pagerduty', 'strong'),
      text(402, 126, 'pagerduty-alert serve', 'code'),
      text(402, 160, 'has the key, from the encrypted'),
      text(402, 180, 'environment; retries for all'),
      box([402, 204, 214, 36]),
      text(416, 227, 'spool: events kept on disk', 'small'),
      arrow([664, 168], [728, 168]),
      text(674, 158, 'https', 'small'),
      box([734, 112, 142, 112]),
      text(754, 142, 'PagerDuty', 'strong'),
      text(754, 172, 'alert', 'red'),
      text(754, 196, 'change event', 'blue'),
    ],
  })
}
