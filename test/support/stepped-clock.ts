/*
 * Loaded before the program (`node --import`): its clock is off by STEPPED_CLOCK_MS from the start, and changes,
 * forwards and backwards by up to that much, five times a second.
 */
const offsetMs = Number(process.env['STEPPED_CLOCK_MS'] ?? 0)
const origin = performance.timeOrigin + offsetMs
const trueNow = Date.now.bind(Date)
Object.defineProperty(performance, 'timeOrigin', { get: () => origin })
Date.now = () => trueNow() + Math.round(offsetMs * Math.sin(Math.floor(trueNow() / 200)))
