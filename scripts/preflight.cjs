'use strict'
/*
 * Runs first in every npm script, and stops it with one sentence if it cannot work: before `npm ci`, or if Node is too old.
 * Its syntax is simple enough for the Node versions that it rejects.
 */
const { existsSync } = require('fs')
const { join } = require('path')

const ROOT = join(__dirname, '..')

/** Runs TypeScript as it is, and is what the program itself asks for. */
const OLDEST_NODE = require('../package.json').engines.node.replace(/[^\d.]/g, '')

/** Under an older Node, npm silently leaves out the native parts of rolldown, oxlint and oxfmt (their `engines`). */
const OLDEST_NODE_FOR_NPM = '20.19.0'

/** EX_CONFIG of sysexits.h. */
const CONFIG_ERROR = 78

function isOlder(version, oldest) {
  const [own, least] = [version, oldest].map((text) => text.split('.').map(Number))
  return own[0] < least[0] || (own[0] === least[0] && own[1] < least[1])
}

/**
 * Says why the scripts cannot work, and what to do about it; undefined if they can.
 * @param {{ node: string, npmNode: string | undefined, isInstalled: boolean }} found the Node version that runs this, the
 *   one that runs npm, and whether the dependencies are installed
 */
function findObstacle({ node, npmNode, isInstalled }) {
  if (npmNode !== undefined && isOlder(npmNode, OLDEST_NODE_FOR_NPM))
    return `npm runs on Node ${npmNode} here, which is too old to install the build tools. Install Node 24 (20.19 or newer will do), then run "npm ci" again`
  if (!isInstalled) return `the dependencies are not installed yet. Run "npm ci" in ${ROOT} first`
  if (isOlder(node, OLDEST_NODE))
    return `this is Node ${node}, and the scripts need ${OLDEST_NODE} or newer. "npm ci" installs one for them, unless npm's ignore-scripts is on. Run "npm rebuild node --ignore-scripts=false", or install Node 24`
  return undefined
}

module.exports = { findObstacle }

if (require.main === module) {
  const [, npmNode] = /\bnode\/v([\d.]+)/.exec(process.env.npm_config_user_agent || '') || []
  const isInstalled = existsSync(join(ROOT, 'node_modules', 'rolldown'))
  const obstacle = findObstacle({ node: process.versions.node, npmNode, isInstalled })
  if (obstacle !== undefined) {
    process.stderr.write(`pagerduty-alert: ${obstacle}.\n`)
    process.exitCode = CONFIG_ERROR
  }
}
