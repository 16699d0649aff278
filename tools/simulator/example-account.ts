import type { RestSeed } from './rest-state.ts'

/** What `npm run simulator` has in its account, for trying things by hand; its help and docs/rest.md name it. */
export const EXAMPLE = {
  routingKey: '0123456789abcdef0123456789abcdef',
  apiToken: 'u+simulatorToken1234',
  serviceId: 'PSHOP',
} as const

/** A service with that integration, a token of Jane Doe's, who is on call, AIOps, and nothing that is open. */
export const EXAMPLE_ACCOUNT: RestSeed = {
  tokens: [{ token: EXAMPLE.apiToken, kind: 'user' }],
  abilities: ['teams', 'urgencies', 'event_intelligence'],
  services: [
    {
      id: EXAMPLE.serviceId,
      name: 'Shop',
      onCall: ['Jane Doe'],
      integrations: [{ id: 'PINTEG', key: EXAMPLE.routingKey }],
    },
  ],
}
