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
    '/': compactHtml(read('page.html')),
    '/ui/page.css': compactCss(read('page.css')),
    '/ui/page.js': output[0].code.replaceAll('/* @__PURE__ */ ', ''),
    '/ui/icon.svg': read('icon.svg'),
  }
}

function compactCss(text: string): string {
  const withoutComments = text.replaceAll(/\/\*[^]*?\*\//g, '')
  return withoutComments
    .replaceAll(/\s+/g, ' ')
    .replaceAll(/ ?([{};,>]) ?/g, '$1')
    .replaceAll(': ', ':')
    .replaceAll(/\b0\./g, '.')
    .replaceAll(';}', '}')
    .trim()
}

/** Without indentation, and without the tags and quotes that HTML does not need. */
function compactHtml(text: string): string {
  return text
    .replaceAll(/\n\s*/g, '\n')
    .replaceAll(' />', '>')
    .replaceAll(/<\/?(?:head|body)>\n|<\/html>/g, '')
    .replaceAll(/="([\w./#-]+)"/g, '=$1')
    .trim()
}
