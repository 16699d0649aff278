import { MARKERS, PROXY_USER } from '../markers.ts'

/** What a careless error might say. */
export const CARELESS_MESSAGE = [
  ...Object.values(MARKERS),
  encodeURIComponent(MARKERS.proxyPassword),
  Buffer.from(`${PROXY_USER}:${MARKERS.proxyPassword}`).toString('base64'),
].join(' ')
