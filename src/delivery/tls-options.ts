/**
 * What every TLS connection of the program demands, whoever is at the other end. Both values are given explicitly because
 * Node takes a missing one from outside: from `NODE_TLS_REJECT_UNAUTHORIZED` and from `--tls-min-v1.0` in `NODE_OPTIONS`.
 */
export const TLS_OPTIONS = { minVersion: 'TLSv1.2', rejectUnauthorized: true } as const
