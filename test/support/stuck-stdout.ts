// Preloaded into the program by a test: what it writes to stdout is never done being written.
process.stdout.write = () => true
setInterval(() => undefined, 60_000)
