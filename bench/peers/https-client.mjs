// The least that sends an event with Node's own HTTPS client.
const { request } = process.getBuiltinModule('node:https')
const body = process.env.BENCH_BODY
const call = request(process.env.BENCH_URL, {
  method: 'POST',
  headers: { 'content-type': 'application/json' },
})
call.on('response', (response) => {
  process.exitCode = response.statusCode === 202 ? 0 : 1
  response.resume()
})
call.end(body)
