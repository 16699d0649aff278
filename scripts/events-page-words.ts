import { LIMITS } from '../src/core/event.ts'

/** The parts of `docs/events.md` that people write. */
export const EVENTS_HEAD = `# Events

<!-- Printed by the program itself with \`npm run docs\`. -->

What PagerDuty is told, and what responders read. A successful deployment is a **change event**, which pages nobody, and
resolves the alert of an earlier failure. A failed one is an **alert**.

![An alert with the exit status, the last lines of output, and links to the build and the commit](pictures/alert.svg)

## Identity

Three things decide which events belong together; \`--dry-run\` says where each came from.

- **Environment**: \`--environment\` (\`PAGERDUTY_ENVIRONMENT\`), else the environment that the CI names, else the branch. On
  a tag build, if the CI tells tags from branches, there is none: under the name of a tag the next deployment would
  never resolve the alert of this one. Codeship does not tell them apart: there, set it. The same goes for a detached
  checkout and for the refs of a pull request (\`refs/pull/12/merge\`). \`refs/heads/main\` is \`main\`, and a merge queue's
  branch is the base branch, so it does not matter how a build was started.
- **Dedup key**: \`--dedup-key\`, else \`deploy/<repository>/<environment>\`, plus \`/<step>\` with \`--step\`. If the CI runs the
  job several times side by side (\`parallel: 2\`, a matrix), each of them is a step of its own. The key holds neither
  build nor commit nor time, so a re-run, a manual approval or the next commit meets the same alert. Another repository,
  environment or step is another alert. Names may hold slashes, which are kept: give steps names without any, so that
  step \`web\` of \`eu\` is not taken for the environment \`eu/web\`. Over ${LIMITS.dedupKeyChars} characters a key becomes its head and a
  SHA-256 of the whole.
- **Source**: \`--source\`, else the repository, else the host's name. PagerDuty refuses a blank one.

Outside any CI \`failure\` and \`trigger\` get a random key, since nothing names the deployment: set
\`PAGERDUTY_REPOSITORY_URL\` or \`--dedup-key\`, and the next success resolves the alert.

## Limits

PagerDuty refuses a whole event for one thing too long, so everything is brought within its limits:

| what | limit | what is too long |
|---|---|---|
| summary | ${LIMITS.summaryChars} characters | is cut; \`custom_details.summary\` has the full text |
| dedup key | ${LIMITS.dedupKeyChars} characters | is hashed, for trigger and resolve alike |
| links of a change event | ${LIMITS.changeLinks} | the last ones go |
| whole body | ${LIMITS.bodyBytes.toLocaleString('en')} bytes | the output loses its beginning, then the largest details their ends, then links and images go |

\`custom_details.truncated\` lists what was cut, and a warning says how much of it. An event is never lost for its size.

Nor is it lost for its decoration. Only a summary, and of an alert a source, a severity and, to acknowledge or resolve it, a
dedup key can refuse an event. Whatever else is blank, of the wrong type or no URL is turned into text or left out, with a
warning; a timestamp without a zone is taken for UTC. This holds for options and variables (\`--link\`, \`--image\`,
\`--client-url\`), for \`send\`, and for what clients post to a relay. Of an acknowledge or resolve only the key is read.

The program's own secrets (keys, tokens, the password of a proxy) are masked in every event.

## Commands

From a step on Codeship Pro, with \`PAGERDUTY_REPOSITORY_URL=git@github.com:acme/shop.git\`.
`

export const EVENTS_TAIL = `## Elsewhere

In a CI that is not listed, or in none: set \`CI_REPO_NAME\`, \`CI_BRANCH\`, \`CI_COMMIT_ID\`, \`CI_COMMIT_MESSAGE\`,
\`CI_COMMITTER_NAME\` and \`CI_BUILD_URL\` as Codeship does, those that are known, and the events look the same. Options work
without any of them. Variables under Codeship's names win over those of the CI, so that a pipeline that was moved and goes
on exporting them keeps its alerts. What is \`0\`, \`false\`, \`null\`, \`undefined\` or blank counts as unknown, and what is
unknown is left out.
`
