import { cleanObject } from '../src/core/json.ts'
import { maskOutput } from '../src/core/mask-output.ts'
import { secretValues } from '../src/core/secret-values.ts'
import { checkTemplate, renderTemplate } from '../src/core/summary.ts'
import { parseObject } from '../src/relay/body.ts'
import { parseForm } from '../src/relay/parse-form.ts'

/** As much of an output as is masked. */
export const TEXT_BYTES = 128 * 1024

/** Something that reads texts of others. */
export interface TextWork {
  readonly name: string
  /** A text as people send it, of about this many bytes. */
  readonly make: (bytes: number) => string
  readonly read: (text: string) => unknown
}

/** What a CI's environment holds that must not be shown. */
const SECRETS = secretValues({
  PAGERDUTY_TOKEN: '0123456789abcdef0123456789abcdef',
  AWS_SECRET_ACCESS_KEY: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
  DATABASE_URL: 'postgres://shop:correct-horse-battery@db.internal:5432/shop',
  NPM_TOKEN: 'npm_abcdefghijklmnopqrstuvwxyz0123456789',
  SIGNING_KEY: Array.from({ length: 20 }, (_, line) => `MIIEpQIBAAKCAQEA${line}x7Jq9pL2vT`).join('\n'),
})

/** What a deployment prints, some of it secret. */
const LINES = [
  '2026-03-01T12:00:00Z INFO  building layer 4 of 12: npm ci --omit=dev',
  'remote: Resolving deltas: 100% (412/412), completed with 37 local objects.',
  'Step 7/12 : COPY --chown=app:app dist /app/dist',
  ' ---> Using cache 5f0c1d2e3a4b',
  'GET https://registry.example.com/v2/acme/shop/manifests/latest 200 in 143 ms',
  'export DATABASE_URL=postgres://shop:correct-horse-battery@db.internal:5432/shop',
  'deployment.apps/shop configured; waiting for rollout: 2 of 5 updated replicas are available',
  '    at Checkout.pay (/app/src/checkout.js:41:13)',
]

const FACTS = {
  build: {
    repository: 'acme/shop',
    branch: 'master',
    commit: '5f0c1d2e3a4b5c6d7e8f90a1b2c3d4e5f6a7b8c9',
    commitMessage: 'Fix the checkout',
    committer: 'Jane Doe',
    origins: {},
  },
  environment: 'production',
  outcome: 'failure',
  result: { exitCode: 1 },
} as const

/** Masking, and the readers of what callers send. */
export const TEXT_WORKS = {
  masking: { name: 'masking', make: outputOf, read: (text) => maskOutput(text, SECRETS) },
  template: {
    name: 'a template',
    make: (bytes) => repeated('{{repository}} to {{environment}}: {{message}}, by {{committer}}; ', bytes),
    read: (text) => renderTemplate(checkTemplate(text), FACTS),
  },
  form: {
    name: 'a form',
    make: (bytes) =>
      `summary=Deployment+failed&severity=error&environment=production&exit_code=1&output=${encodeURIComponent(outputOf(bytes * 0.7))}`,
    read: (text) => parseForm(text),
  },
  json: {
    name: 'JSON',
    make: (bytes) =>
      `{"steps":[${repeated('{"name":"build","ok":true,"seconds":12.5,"log":"100% (412/412) \\"done\\""},', bytes).slice(0, -1)}]}`,
    read: (text) => cleanObject(parseObject(text) ?? {}),
  },
} as const satisfies Record<string, TextWork>

function outputOf(bytes: number): string {
  return repeated(`${LINES.join('\n')}\n`, bytes)
}

/** Whole pieces. */
function repeated(piece: string, bytes: number): string {
  return piece.repeat(Math.max(1, Math.round(bytes / piece.length)))
}

/** Reads a text, which may also be refused. */
export function readOrRefuse({ read }: Pick<TextWork, 'read'>, text: string): void {
  try {
    read(text)
  } catch {
    // as a hostile text may be
  }
}
