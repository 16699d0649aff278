/** The build whose event is sent; the key belongs to nobody. */
export const BUILD = {
  CI_NAME: 'codeship',
  CI_BRANCH: 'master',
  CI_REPO_NAME: 'acme/shop',
  CI_COMMIT_ID: '5f0c1d2e3a4b5c6d7e8f90a1b2c3d4e5f6a7b8c9',
  CI_COMMIT_MESSAGE: 'Fix the checkout',
  CI_COMMITTER_NAME: 'Jane Doe',
  PAGERDUTY_TOKEN: '0123456789abcdef0123456789abcdef',
}

/** The same as an event that is ready to be sent. */
export const READY_EVENT = JSON.stringify({
  routing_key: BUILD.PAGERDUTY_TOKEN,
  event_action: 'trigger',
  payload: { summary: 'Deployed acme/shop', source: 'acme/shop', severity: 'info' },
})

/** An environment of the path and the build. */
export function environment(more: Readonly<Record<string, string>> = {}): Record<string, string> {
  return { PATH: process.env['PATH'] ?? '', ...BUILD, ...more }
}
