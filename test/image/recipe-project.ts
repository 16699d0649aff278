import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { encrypt, parseEncryptionKey } from '../../tools/codeship/encryption.ts'
import { hostUrl, runBuild, type BuildResult } from '../../tools/codeship/run-build.ts'
import type { Simulator } from '../../tools/simulator/simulator.ts'
import { KEY } from '../support/program.ts'

/** Where the pages have the image; the one just built is put in its place. */
const ADDRESS = 'registry.example.com/pagerduty-alert:0.1.0'

/** A user's repository that a recipe was pasted into. */
export interface RecipeProject {
  /** Writes files by their paths in it; they may be executed. */
  readonly write: (files: Readonly<Record<string, string>>) => Promise<void>
  /** Builds its branch `master`, with this as the deployment's script. */
  readonly deploy: (script: string, options?: DeployOptions) => Promise<BuildResult>
  readonly remove: () => Promise<void>
}

/** How a deployment differs from the usual. */
export interface DeployOptions {
  readonly env?: Readonly<Record<string, string>>
  /** Takes every line of the build's log as it comes. */
  readonly print?: (line: string) => void
}

/** What a project is made with. */
export interface RecipeOptions {
  readonly simulator: Simulator
  /** The image under test. */
  readonly image: string
  /** The user's own image, from a build whose context has `deploy.sh`. */
  readonly dockerfile: string
  /** Further words for every `docker build`. */
  readonly buildOptions: readonly string[]
}

/** Makes a repository of the files of one recipe in `docs/sidecar.md`: the blocks whose names begin with `<name>:`. */
export async function makeRecipeProject(name: string, options: RecipeOptions): Promise<RecipeProject> {
  const { simulator, image, dockerfile, buildOptions } = options
  const folder = await mkdtemp(join(tmpdir(), 'codeship-'))
  const write = async (files: Readonly<Record<string, string>>): Promise<void> => {
    for (const [path, text] of Object.entries(files)) {
      await mkdir(dirname(join(folder, path)), { recursive: true })
      await writeFile(join(folder, path), text, { mode: 0o755 })
    }
  }
  const page = await readFile(new URL('../../docs/sidecar.md', import.meta.url), 'utf8')
  for (const [, recipe, file = '', text = ''] of page.matchAll(/^```\w+ ([\w-]+):(\S+)\n([\s\S]*?)^```$/gm))
    if (recipe === name) await write({ [file]: text.replaceAll(ADDRESS, image) })
  const key = Buffer.alloc(32, 1).toString('base64')
  const env = Buffer.from(`PAGERDUTY_TOKEN=${KEY}\nPAGERDUTY_ENVIRONMENT=production\n`)
  await write({
    'codeship.aes': key,
    'pagerduty.env.encrypted': encrypt(env, parseEncryptionKey('k', key)),
    'Dockerfile.deploy': dockerfile,
    '.dockerignore': '*\n!deploy.sh\n',
    'spool/.gitkeep': '',
  })
  return {
    write,
    deploy: async (script, { env: more = {}, ...rest } = {}) => {
      await write({ 'deploy.sh': `#!/bin/sh\n${script}\n` })
      const all = { PAGERDUTY_EVENTS_URL: hostUrl(simulator.port), ...more }
      return await runBuild({ folder, tag: 'master', env: all, buildOptions, ...rest })
    },
    remove: async () => await rm(folder, { recursive: true }),
  }
}
