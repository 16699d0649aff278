import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withBuiltinModules } from '../../../scripts/builtin-modules.ts'

test('every form of import that rolldown writes is replaced', () => {
  const cases = {
    'import { openSync, readSync as read } from "node:fs";':
      'const { openSync, readSync: read } = process.getBuiltinModule("node:fs");',
    'import { connect, Socket as Socket$1 } from "node:net";':
      'const { connect, Socket: Socket$1 } = process.getBuiltinModule("node:net");',
    'import * as fs from "node:fs";': 'const fs = process.getBuiltinModule("node:fs");',
    'import assert from "node:assert/strict";':
      'const assert = process.getBuiltinModule("node:assert/strict");',
    'import { createHash, randomUUID as id } from "node:crypto";':
      'const createHash = (...args) => process.getBuiltinModule("node:crypto").createHash(...args);\n' +
      'const id = (...args) => process.getBuiltinModule("node:crypto").randomUUID(...args);',
    'import os, { constants as constants$1 } from "node:os";':
      'const os = process.getBuiltinModule("node:os");\n' +
      'const { constants: constants$1 } = process.getBuiltinModule("node:os");',
    'import process$1 from "node:process";': 'const process$1 = process.getBuiltinModule("node:process");',
    'import { x } from "./x.js";': 'import { x } from "./x.js";',
  }
  for (const [before, after] of Object.entries(cases)) assert.equal(withBuiltinModules(before), after)
  const whole = Object.keys(cases).join('\n')
  assert.equal(withBuiltinModules(whole), Object.values(cases).join('\n'))
})
