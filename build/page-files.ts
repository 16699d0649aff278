import { readFileSync } from 'node:fs'
import { rolldown } from 'rolldown'
import type { PageFiles } from '../src/relay/page-files.ts'

/** The page's files as they are served: the modules of its script as one, and no comments. */
export async function buildPageFiles(): Promise<PageFiles> {
  const bundle = await rolldown({ input: 'ui/page.js', platform: 'browser' })
  const { output } = await bundle.generate({ format: 'esm', minify: true })
  await bundle.close()
  const read = (name: string): string => readFileSync(`ui/${name}`, 'utf8')
  return {
    '/': withoutIndentation(read('page.html')),
    '/ui/page.css': compactCss(read('page.css')),
    '/ui/page.js': output[0].code,
    '/ui/icon.svg': read('icon.svg'),
  }
}

function compactCss(text: string): string {
  const withoutComments = text.replaceAll(/\/\*[^]*?\*\//g, '')
  return withoutComments
    .replaceAll(/\s+/g, ' ')
    .replaceAll(/ ?([{};,]) ?/g, '$1')
    .replaceAll(': ', ':')
    .replaceAll(';}', '}')
    .trim()
}

function withoutIndentation(text: string): string {
  return text.replaceAll(/\n\s*/g, '\n').replaceAll(' />', '>').trim()
}
