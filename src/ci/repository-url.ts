import type { Build } from '../core/build.ts'

export function parseRepositoryUrl(text: string): string {
  return text
}
export function withRepositoryUrl(build: Build, _url: string | undefined): Build {
  return build
}
