import manifest from '../package.json' with { type: 'json' }

/** The version of this program, from package.json; the bundle holds it as a literal. */
export const version: string = manifest.version

/** The address of the project, from package.json. */
export const homepage: string = manifest.homepage.replace(/#.*/, '')
