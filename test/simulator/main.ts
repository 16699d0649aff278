import { parseArgs } from 'node:util'
import { startSimulator } from './simulator.ts'

// Runs the simulator by hand: node test/simulator/main.ts [--port N] [--host H]
const { values } = parseArgs({ options: { port: { type: 'string' }, host: { type: 'string' } } })
const simulator = await startSimulator({
  host: values.host,
  port: Number(values.port ?? 0),
  log: (line) => process.stdout.write(`${new Date().toISOString().slice(11, 19)}  ${line}\n`),
})
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void simulator.close())
process.stdout.write(`PagerDuty simulator on ${simulator.url}\n`)
