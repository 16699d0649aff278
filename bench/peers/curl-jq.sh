#!/usr/bin/env bash
# The same with the JSON made from the build's variables.
set -euo pipefail
jq -n '{routing_key: env.PAGERDUTY_TOKEN, payload: {summary: "Deployed \(env.CI_REPO_NAME) to \(env.CI_BRANCH): \(env.CI_COMMIT_MESSAGE)", source: env.CI_REPO_NAME}}' |
  curl -fsS -o /dev/null --cacert "$SSL_CERT_FILE" -H 'content-type: application/json' -d @- "$BENCH_URL"
