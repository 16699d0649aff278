import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseRepositoryUrl, withRepositoryUrl } from '../../../src/ci/repository-url.ts'
import type { Build } from '../../../src/core/build.ts'
import { Failure } from '../../../src/core/failure.ts'

const PAGES: Readonly<Record<string, readonly string[]>> = {
  'https://github.com/acme/shop': [
    'https://github.com/acme/shop',
    'https://github.com/acme/shop/',
    'https://github.com/acme/shop.git',
    'https://github.com/acme/shop.git/',
    'https://github.com/acme/shop/tree/main/src',
    'https://jane:secret@github.com/acme/shop.git',
    'github.com/acme/shop',
    'git@github.com:acme/shop.git',
    'org-1234@github.com:acme/shop.git',
    'github.com:/acme/shop',
    'ssh://git@github.com/acme/shop.git',
    'ssh://git@ssh.github.com:443/acme/shop.git',
    'git://github.com/acme/shop.git',
    'git+ssh://git@github.com/acme/shop.git',
    'git+https://github.com/acme/shop.git',
  ],
  'http://git.example.com:3000/acme/shop': ['http://git.example.com:3000/acme/shop.git'],
  'https://git.example.com/acme/shop': [
    'ssh://git@git.example.com:2222/acme/shop.git',
    'git@git.example.com:2222/acme/shop.git',
  ],
  'https://gitlab.com/acme/web/shop': [
    'git@gitlab.com:acme/web/shop.git',
    'https://gitlab.com/acme/web/shop/-/tree/main',
    'ssh://git@altssh.gitlab.com:443/acme/web/shop.git',
  ],
  'https://example.com/gitlab/acme/shop': ['https://example.com/gitlab/acme/shop.git'],
  'https://bitbucket.org/acme/shop': [
    'git@bitbucket.org:acme/shop.git',
    'https://jane@bitbucket.org/acme/shop.git',
    'https://bitbucket.org/acme/shop/src/master/',
  ],
  'https://bitbucket.example.com/projects/WEB/repos/shop': [
    'https://bitbucket.example.com/scm/WEB/shop.git',
    'ssh://git@bitbucket.example.com:7999/WEB/shop.git',
    'git@bitbucket.example.com:WEB/shop.git',
    'https://bitbucket.example.com/projects/WEB/repos/shop/browse',
  ],
  'https://code.example.com/users/jane/repos/shop': ['ssh://git@code.example.com:7999/~jane/shop.git'],
  'https://dev.azure.com/acme/web/_git/shop': [
    'https://acme@dev.azure.com/acme/web/_git/shop',
    'git@ssh.dev.azure.com:v3/acme/web/shop',
  ],
}
for (const [page, addresses] of Object.entries(PAGES)) {
  for (const address of addresses) {
    test(`${address} is the repository at ${page}`, () => assert.equal(parseRepositoryUrl(address), page))
  }
}

for (const address of [
  'shop',
  'acme/shop',
  '/srv/git/shop.git',
  'https://',
  'https://github.com/',
  'C:\\shop',
]) {
  test(`${address} is not a repository's address, and the message does not repeat it`, () => {
    assert.throws(
      () => parseRepositoryUrl(address),
      (error) =>
        error instanceof Failure && error.kind === 'usage' && /https:\/\/github\.com/.test(error.message),
    )
  })
}

const COMMIT = '5f0c1d2e3a4b5c6d7e8f90a1b2c3d4e5f6a7b8c9'
const BASE = '1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d'
const BUILD: Build = {
  commit: COMMIT,
  base: BASE,
  pullRequest: '12',
  origins: { commit: 'CI_COMMIT_ID' },
}

/** Page, name of the repository, and what follows the page in the links to commit, changes and pull request. */
const LINKS: readonly (readonly [string, string, string, string, string])[] = [
  [
    'https://github.com/acme/shop',
    'acme/shop',
    `/commit/${COMMIT}`,
    `/compare/${BASE}...${COMMIT}`,
    '/pull/12',
  ],
  [
    'https://git.example.com/acme/shop',
    'acme/shop',
    `/commit/${COMMIT}`,
    `/compare/${BASE}...${COMMIT}`,
    '/pull/12',
  ],
  ...['https://gitlab.com/acme/web/shop', 'https://code.example.com/acme/web/shop'].map(
    (page) =>
      [
        page,
        'acme/web/shop',
        `/-/commit/${COMMIT}`,
        `/-/compare/${BASE}...${COMMIT}`,
        '/-/merge_requests/12',
      ] as const,
  ),
  [
    'https://gitlab.example.com/acme/shop',
    'acme/shop',
    `/-/commit/${COMMIT}`,
    `/-/compare/${BASE}...${COMMIT}`,
    '/-/merge_requests/12',
  ],
  [
    'https://bitbucket.org/acme/shop',
    'acme/shop',
    `/commits/${COMMIT}`,
    `/branches/compare/${COMMIT}%0D${BASE}`,
    '/pull-requests/12',
  ],
  [
    'https://bb.example.com/projects/WEB/repos/shop',
    'WEB/shop',
    `/commits/${COMMIT}`,
    `/compare/commits?sourceBranch=${COMMIT}&targetBranch=${BASE}`,
    '/pull-requests/12',
  ],
  [
    'https://dev.azure.com/acme/My%20web/_git/shop',
    'acme/My web/shop',
    `/commit/${COMMIT}`,
    `/branchCompare?baseVersion=GC${BASE}&targetVersion=GC${COMMIT}`,
    '/pullrequest/12',
  ],
]
for (const [page, name, commit, compare, pullRequest] of LINKS) {
  test(`links into ${page} are in its code host's form`, () => {
    const build = withRepositoryUrl(BUILD, page)
    assert.deepEqual(
      [build.repository, build.commitUrl, build.compareUrl, build.pullRequestUrl, build.repositoryUrl],
      [name, page + commit, page + compare, page + pullRequest, page],
    )
  })
}

test('a tag to compare with keeps its slashes, and nothing else that an address could mistake', () => {
  const { compareUrl } = withRepositoryUrl({ ...BUILD, base: 'rel/v1 #1' }, 'https://github.com/acme/shop')
  assert.equal(compareUrl, `https://github.com/acme/shop/compare/rel/v1%20%231...${COMMIT}`)
})

test('a commit that was built before has no changes to compare', () => {
  assert.equal(
    withRepositoryUrl({ ...BUILD, base: COMMIT }, 'https://github.com/acme/shop').compareUrl,
    undefined,
  )
})

test("GitLab's own CI builds repositories of its own host, whatever that is called", () => {
  const build: Build = { ...BUILD, ci: 'GitLab CI/CD', repositoryUrl: 'https://git.example.com/acme/shop' }
  assert.equal(
    withRepositoryUrl(build, undefined).pullRequestUrl,
    'https://git.example.com/acme/shop/-/merge_requests/12',
  )
})

test('what the CI gives stays, and the origin of the rest is reported', () => {
  const build: Build = { ...BUILD, repository: 'shop', commitUrl: 'https://ci.example.com/c', origins: {} }
  const linked = withRepositoryUrl(build, 'https://github.com/acme/shop')
  assert.deepEqual([linked.repository, linked.commitUrl], ['shop', 'https://ci.example.com/c'])
  assert.deepEqual(linked.origins, {
    compareUrl: 'PAGERDUTY_REPOSITORY_URL',
    pullRequestUrl: 'PAGERDUTY_REPOSITORY_URL',
    repositoryUrl: 'PAGERDUTY_REPOSITORY_URL',
  })
})

test('without any address nothing is invented', () => {
  assert.deepEqual(withRepositoryUrl(BUILD, undefined), BUILD)
})
