import { CARELESS_MESSAGE } from './secrets.ts'

// Preloaded into the program by a test: whatever asks for the time of day meets a bug.
globalThis.Date = class extends Date {
  override toISOString(): string {
    throw new TypeError(CARELESS_MESSAGE)
  }
} as DateConstructor
