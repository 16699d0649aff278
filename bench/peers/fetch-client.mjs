// The least that sends an event with Node's built-in fetch.
const response = await fetch(process.env.BENCH_URL, {
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: process.env.BENCH_BODY,
})
await response.text()
process.exitCode = response.status === 202 ? 0 : 1
