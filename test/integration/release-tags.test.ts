import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite, test, type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { skipWithout } from '../support/required.ts'

/*
 * What a release does to the tags of the repository, in a repository of its own.
 */

const SCRIPTS = fileURLToPath(new URL('../../scripts/', import.meta.url))

interface Repository {
  readonly git: (...args: readonly string[]) => string
  /** Commits, and pushes the commit as a version's tag, as a person does who releases. */
  readonly tag: (tag: string, branch?: string) => void
  /** What the workflow does for a tag, in a clone of its own. */
  readonly release: (tag: string) => void
  /** The bundle that a tag of the remote repository holds; undefined if none. */
  readonly bundleOf: (tag: string) => string | undefined
}

function createRepository(t: TestContext): Repository {
  const scratch = mkdtempSync(join(tmpdir(), 'release-'))
  t.after(() => rmSync(scratch, { recursive: true }))
  const env = {
    PATH: process.env['PATH'] ?? '',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_CONFIG_SYSTEM: '/dev/null',
    ...Object.fromEntries(
      ['AUTHOR', 'COMMITTER'].flatMap((role) => [
        [`GIT_${role}_NAME`, 'Jane'],
        [`GIT_${role}_EMAIL`, 'jane@example.com'],
      ]),
    ),
  }
  const remote = join(scratch, 'remote.git')
  const work = join(scratch, 'work')
  const run = (cwd: string, command: string, ...args: readonly string[]): string =>
    execFileSync(command, args, { cwd, env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim()
  const git = (...args: readonly string[]): string => run(work, 'git', ...args)
  run(scratch, 'git', 'init', '--quiet', '--bare', remote)
  run(scratch, 'git', 'clone', '--quiet', remote, work)
  writeFileSync(join(work, '.gitignore'), 'dist/\n')
  git('add', '.')
  let releases = 0
  return {
    git,
    tag: (tag, branch) => {
      if (branch !== undefined) git('checkout', '--quiet', branch)
      git('commit', '--quiet', '--allow-empty', '--message', tag)
      git('tag', tag)
      git('push', '--quiet', 'origin', tag)
    },
    release: (tag) => {
      releases += 1
      const clone = join(scratch, `clone-${releases}`)
      run(scratch, 'git', 'clone', '--quiet', '--branch', tag, remote, clone)
      const built = join(scratch, `built-${releases}`)
      mkdirSync(join(built, 'dist'), { recursive: true })
      writeFileSync(join(built, 'dist/bin.js'), `the bundle of ${tag}`)
      run(built, 'tar', '-czf', 'dist.tar.gz', 'dist')
      run(clone, join(SCRIPTS, 'tag-bundle.sh'), tag, join(built, 'dist.tar.gz'))
    },
    bundleOf: (tag) => {
      git('fetch', '--quiet', '--force', '--tags', 'origin')
      try {
        return git('show', `${tag}:dist/bin.js`)
      } catch {
        return undefined
      }
    },
  }
}

suite('a release', { skip: skipWithout('git', 'bash') }, () => {
  test('the exact tag holds the bundle, and so does that of the major version', (t) => {
    const { tag, release, bundleOf, git } = createRepository(t)
    tag('v1.0.0')
    const code = git('rev-parse', 'v1.0.0')
    assert.equal(bundleOf('v1.0.0'), undefined)
    release('v1.0.0')
    assert.equal(bundleOf('v1.0.0'), 'the bundle of v1.0.0')
    assert.equal(bundleOf('v1'), 'the bundle of v1.0.0')
    assert.equal(git('rev-parse', 'v1.0.0^'), code, 'on top of what was tagged')
    assert.equal(git('diff', '--name-only', 'v1.0.0^', 'v1.0.0'), 'dist/bin.js')
  })

  test('v1 never goes back: a patch of an older line, also one whose number has fewer digits', (t) => {
    const { tag, release, bundleOf, git } = createRepository(t)
    for (const version of ['v1.9.0', 'v1.10.0', 'v2.0.0']) {
      tag(version)
      release(version)
    }
    git('checkout', '--quiet', '-b', 'old', 'v1.9.0')
    tag('v1.9.1', 'old')
    release('v1.9.1')
    assert.equal(bundleOf('v1.9.1'), 'the bundle of v1.9.1')
    assert.equal(bundleOf('v1'), 'the bundle of v1.10.0')
    assert.equal(bundleOf('v2'), 'the bundle of v2.0.0')
  })

  test('a release that is run again changes nothing', (t) => {
    const { tag, release, git } = createRepository(t)
    const tags = (): string => git('ls-remote', '--tags', 'origin')
    tag('v0.1.0')
    release('v0.1.0')
    const before = tags()
    release('v0.1.0')
    assert.equal(tags(), before)
  })

  test('one that was interrupted before it moved v1 is finished by the next run', (t) => {
    const { tag, release, bundleOf, git } = createRepository(t)
    tag('v1.0.0')
    release('v1.0.0')
    git('push', '--quiet', '--delete', 'origin', 'refs/tags/v1')
    release('v1.0.0')
    assert.equal(bundleOf('v1'), 'the bundle of v1.0.0')
  })

  test('an annotated tag is as good, and pre-releases are not versions', (t) => {
    const { tag, release, bundleOf, git } = createRepository(t)
    tag('v1.1.0-rc.1')
    git('commit', '--quiet', '--allow-empty', '--message', 'more')
    git('tag', '--annotate', '--message', 'Release', 'v1.0.0')
    git('push', '--quiet', 'origin', 'v1.0.0')
    release('v1.0.0')
    assert.equal(bundleOf('v1.0.0'), 'the bundle of v1.0.0')
    assert.equal(bundleOf('v1'), 'the bundle of v1.0.0')
  })
})
