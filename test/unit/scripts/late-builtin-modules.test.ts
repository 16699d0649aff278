import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withLateBuiltinModules } from '../../../build/late-builtin-modules.ts'

test('a costly module of Node is loaded when it is first used, and only once', () => {
  const before = [
    'let node_os = require("node:os");',
    'let node_fs = require("node:fs");',
    'let node_net = require("node:net");',
    'class Socket extends node_net.Socket {}',
    'const list = new node_net.BlockList();',
    'const where = () => (0, node_os.hostname)() + node_fs.constants.R_OK + other_node_os.x;',
  ]
  const after = [
    'let node_os;',
    'let node_fs = require("node:fs");',
    'let node_net;',
    'class Socket extends (node_net ??= require("node:net")).Socket {}',
    'const list = new (node_net ??= require("node:net")).BlockList();',
    'const where = () => (0, (node_os ??= require("node:os")).hostname)() + node_fs.constants.R_OK + other_node_os.x;',
  ]
  assert.equal(withLateBuiltinModules(before.join('\n')), after.join('\n'))
})

test('one that is used as a whole is loaded at once', () => {
  const code = 'let node_os = require("node:os");\nnode_os = __toESM(node_os);\nnode_os.default.hostname();'
  assert.equal(withLateBuiltinModules(code), code)
})
