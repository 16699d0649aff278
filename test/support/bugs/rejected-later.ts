import { CARELESS_MESSAGE } from './secrets.ts'

// Preloaded into the program by a test: a promise that nobody waits for fails.
setTimeout(() => void Promise.reject(new TypeError(CARELESS_MESSAGE)), 150)
