import { readFileSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import v8 from 'node:v8'
import vm from 'node:vm'
import { crc32 } from 'node:zlib'

/*
 * Loaded before the program (`node --import`). When the program ends, the code that V8 has compiled is written next to its
 * files, where `bin.js` looks for it, with a checksum of code and source at the end. Code from earlier runs is kept.
 */
const scripts = new Map<string, vm.Script>()
const { setFlagsFromString } = v8

// The program changes V8 flags after it has loaded; a cache written with those flags would be rejected when it starts.
v8.setFlagsFromString = () => undefined

/**
 * Flags that make recordings differ from run to run: V8 also records whether another thread is recompiling a function at that
 * moment, and the garbage collector discards bytecode that was not used lately.
 */
const VARYING = ['baseline-batch-compilation', 'flush-bytecode']

const setVaryingFlags = (isOn: boolean): void => {
  for (const flag of VARYING) setFlagsFromString(`--${isOn ? '' : 'no-'}${flag}`)
}

setVaryingFlags(false)
// `write-code-cache.ts` starts the program with a heap in which nothing has to be collected. A cache must not depend on that.
for (const size of ['min', 'max']) setFlagsFromString(`--${size}-semi-space-size=0`)

vm.Script = class extends vm.Script {
  constructor(code: string, options: vm.ScriptOptions) {
    setVaryingFlags(true) // with another flag V8 would reject the existing cache
    super(code, options)
    setVaryingFlags(false)
    if (options.filename !== undefined) scripts.set(options.filename, this)
  }
}

process.on('exit', () => {
  setVaryingFlags(true)
  for (const [file, script] of scripts) {
    const data = script.createCachedData()
    const checksum = Buffer.alloc(4)
    checksum.writeUInt32LE(crc32(data, crc32(readFileSync(file))))
    writeFileSync(join(dirname(file), 'code-cache', basename(file)), Buffer.concat([data, checksum]))
  }
})
