import { readFileSync } from 'node:fs'

/** The page's HTML, styles, code and icon. */
export type PageFiles = Readonly<Record<'/' | '/ui/page.css' | '/ui/page.js' | '/ui/icon.svg', string>>

/** The texts of the page's files. The bundle has them inside (`rolldown.config.ts` replaces this function). */
export function pageFiles(): PageFiles {
  const read = (name: string): string => readFileSync(new URL(`../../ui/${name}`, import.meta.url), 'utf8')
  return {
    '/': read('page.html'),
    '/ui/page.css': read('page.css'),
    '/ui/page.js': read('page.js'),
    '/ui/icon.svg': read('icon.svg'),
  }
}
