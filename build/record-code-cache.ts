import { readFileSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import v8 from 'node:v8'
import vm from 'node:vm'
import { crc32 } from 'node:zlib'

/*
 * Loaded before the program (`node --import`): when it ends, whatever V8 has compiled of its files is written beside them,
 * where `bin.js` looks for it, with a checksum of it and of the source at the end. What an earlier run has left there is
 * kept in what is written.
 */
const scripts = new Map<string, vm.Script>()
const { setFlagsFromString } = v8

// The program changes flags of V8 after it has loaded itself; what is written then would not be taken before.
v8.setFlagsFromString = () => undefined

/** V8 also writes whether another thread is just compiling a function for the second time, which is so in some runs only. */
const compileInBatches = (isOn: boolean): void =>
  setFlagsFromString(isOn ? '--baseline-batch-compilation' : '--no-baseline-batch-compilation')

compileInBatches(false)

vm.Script = class extends vm.Script {
  constructor(code: string, options: vm.ScriptOptions) {
    compileInBatches(true) // with another flag it would not take what is there
    super(code, options)
    compileInBatches(false)
    if (options.filename !== undefined) scripts.set(options.filename, this)
  }
}

process.on('exit', () => {
  compileInBatches(true)
  for (const [file, script] of scripts) {
    const data = script.createCachedData()
    const checksum = Buffer.alloc(4)
    checksum.writeUInt32LE(crc32(data, crc32(readFileSync(file))))
    writeFileSync(join(dirname(file), 'code-cache', basename(file)), Buffer.concat([data, checksum]))
  }
})
