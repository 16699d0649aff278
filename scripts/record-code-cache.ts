import { writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import v8 from 'node:v8'
import vm from 'node:vm'

/*
 * Loaded before the program (`node --import`): when it ends, whatever V8 has compiled of its files is written beside them,
 * where `bin.js` looks for it. What an earlier run has left there is kept in what is written.
 */
const scripts = new Map<string, vm.Script>()

vm.Script = class extends vm.Script {
  constructor(code: string, options: vm.ScriptOptions) {
    super(code, options)
    if (options.filename !== undefined) scripts.set(options.filename, this)
  }
}

// The program changes flags of V8 after it has loaded itself; what is written then would not be taken before.
v8.setFlagsFromString = () => undefined

process.on('exit', () => {
  for (const [file, script] of scripts)
    writeFileSync(join(dirname(file), 'code-cache', basename(file)), script.createCachedData())
})
