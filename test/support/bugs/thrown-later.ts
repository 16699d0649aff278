import { CARELESS_MESSAGE } from './secrets.ts'

// Preloaded into the program by a test: an exception that nothing catches, once the files of secrets have been read.
setTimeout(() => {
  throw new TypeError(CARELESS_MESSAGE, { cause: new Error(CARELESS_MESSAGE) })
}, 150)
