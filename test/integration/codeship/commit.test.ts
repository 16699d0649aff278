import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { after, test } from 'node:test'
import { readCommit } from '../../../tools/codeship/variables.ts'
import { skipWithout } from '../../support/required.ts'

const folder = mkdtempSync(join(tmpdir(), 'codeship-'))
after(() => rmSync(folder, { recursive: true }))

test(
  'the commit is the one that Git has checked out, its whole message included',
  { skip: skipWithout('git') },
  async () => {
    const git = (...args: string[]): void => {
      execFileSync('git', ['-C', folder, ...args], {
        env: { ...process.env, GIT_COMMITTER_NAME: 'Jane Doe', GIT_COMMITTER_EMAIL: 'jane@example.com' },
        stdio: 'ignore',
      })
    }
    git('init', '--initial-branch', 'trunk')
    git(
      '-c',
      'user.name=A',
      '-c',
      'user.email=a@example.com',
      'commit',
      '--allow-empty',
      '-m',
      'Title\n\nBody "ü"',
    )
    const { id, description, ...commit } = await readCommit(folder)
    assert.match(id, /^[0-9a-f]{40}$/)
    assert.ok(id.startsWith(description))
    assert.deepEqual(commit, {
      repository: basename(folder),
      branch: 'trunk',
      message: 'Title\n\nBody "ü"',
      committerName: 'Jane Doe',
      committerEmail: 'jane@example.com',
      committerUsername: 'jane',
    })
  },
)
