#!/usr/bin/env node
'use strict'
/*
 * Starts the program: what `dist/bin.js` is. Plain enough for Node 12 to run, so that an old Node says what it lacks
 * instead of where it stumbled. The program and what it loads are CommonJS, so that V8's code cache can be used for them.
 */

// Without a listener Node answers SIGUSR1 by opening its debugger on port 9229, through which others can read the key.
process.on('SIGUSR1', () => undefined)

const { existsSync, readFileSync } = require('fs')

const OLDEST = 'OLDEST_NODE' // the build puts package.json's here
const CODE_CACHE = __dirname + '/code-cache'

function isNewEnough(version) {
  const [own, oldest] = [version, OLDEST].map((text) => text.split('.').map(Number))
  return own[0] > oldest[0] || (own[0] === oldest[0] && own[1] >= oldest[1])
}

/** The size of the checksum at the end of a cache file, in bytes. */
const CHECKSUM_BYTES = 4

/**
 * The cached code of a file; undefined if there is none, if it cannot be read, or if either file has changed since. V8
 * itself compares no more than the length of the source, and a damaged cache makes it crash.
 */
function readCache(name, source) {
  try {
    // Not `zlib.crc32`, which is the same function: to load that module takes 1.6 ms, and to load its binding 0.05 ms.
    const { crc32 } = process.binding('zlib')
    const file = readFileSync(CODE_CACHE + name.slice(1))
    const data = file.subarray(0, -CHECKSUM_BYTES)
    return file.readUInt32LE(data.length) === crc32(data, crc32(source, 0)) ? data : undefined
  } catch {
    return undefined
  }
}

/**
 * A `require` that compiles the program's files with what V8 kept from an earlier run. Node's own compile cache holds only
 * what is compiled at once, the outermost functions; this holds every function that ran. V8 rejects what another version,
 * or other flags, produced, and compiles again.
 */
function createRequire() {
  const { Script } = require('vm')
  const modules = new Map()
  return function load(name) {
    if (!name.startsWith('./')) return require(name)
    const known = modules.get(name)
    if (known !== undefined) return known.exports
    const module = { exports: {} }
    modules.set(name, module)
    const filename = __dirname + name.slice(1)
    const bytes = readFileSync(filename)
    const source = `(function (exports, require, module) {\n${bytes.toString('latin1')}\n})`
    const script = new Script(source, { filename, lineOffset: -1, cachedData: readCache(name, bytes) })
    script.runInThisContext()(module.exports, load, module)
    return module.exports
  }
}

if (isNewEnough(process.versions.node)) {
  const load = existsSync(CODE_CACHE) ? createRequire() : require
  try {
    load('./program.js')
  } catch (error) {
    const [reason] = String(error.message).split('\n')
    process.stderr.write(
      `pagerduty-alert: error: the program cannot be loaded: ${reason}; install it again\n`,
    )
    process.exitCode = 70
  }
} else {
  process.stderr.write(
    `pagerduty-alert: error: this is Node.js ${process.versions.node}, and ${OLDEST} or newer is needed; ` +
      'pagerduty.sh works without Node.js\n',
  )
  process.exitCode = 78
}
