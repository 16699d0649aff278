/** `env-ci` has no types, and those of DefinitelyTyped describe version 3. This is what `providers/env-ci.ts` uses of it. */
declare module 'env-ci' {
  interface CiEnvironment {
    readonly name?: string
    readonly slug?: string
    readonly branch?: string
    readonly prBranch?: string
    readonly tag?: string
    readonly commit?: string
    readonly build?: string
    readonly buildUrl?: string
    readonly job?: string
    readonly jobUrl?: string
    readonly pr?: string | number
  }
  export default function envCi(options: {
    readonly env: Readonly<Record<string, string | undefined>>
  }): CiEnvironment
}
