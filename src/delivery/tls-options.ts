/**
 * The options of every TLS connection of the program. Both are explicit because Node takes their defaults from outside: from
 * `NODE_TLS_REJECT_UNAUTHORIZED`, and from `--tls-min-v1.0` in `NODE_OPTIONS`.
 */
export const TLS_OPTIONS = { minVersion: 'TLSv1.2', rejectUnauthorized: true } as const
