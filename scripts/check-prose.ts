import { globSync, readFileSync, statSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** Files, and folders with everything in them. */
const PLACES = [
  'src',
  'ui',
  'README.md',
  'CHANGELOG.md',
  'CONTRIBUTING.md',
  'SECURITY.md',
  'Dockerfile',
  'Dockerfile.test',
  'action.yml',
  'action',
  'docs',
  'pagerduty.sh',
  'build',
  'scripts',
  'tools',
  'test',
  'bench',
  '.ci',
  '.github',
]
/** This list and its test quote what they forbid; the other test quotes messages of src/. */
const EXCLUDED = [
  'scripts/check-prose.ts',
  'test/unit/scripts/check-prose.test.ts',
  'test/integration/spool/strange-files.test.ts',
]
const PROSE_FILE =
  /\.(?:md|ts|js|cjs|mjs|sh|jq|html|css|ya?ml|Dockerfile)$|(?:^|\/)(?:run|bare-machine|Dockerfile[.\w]*)$/

/** What a native engineer would not write, and what to write instead. Only phrases that are wrong nearly everywhere. */
type Phrase = readonly [pattern: RegExp, instead: string]

const PHRASES: readonly Phrase[] = [
  [/\banew\b/gi, 'again'],
  [/\bmeanwhile\b/gi, 'at the same time, while …'],
  [/\bso long\b/gi, 'that long, as long as, until'],
  [/\bfor ever\b/gi, 'forever'],
  [/\b(?:tell|tells|told|telling) of\b/gi, 'report, say, describe'],
  [/\b(?:say|says|said) of\b/gi, 'say about, describe'],
  [/\b(?:hear|hears) of\b/gi, 'receive, see'],
  [
    /(?<!\b[Tt]here )\bis no (?!longer\b|more\b|less\b|different\b|use\b|other\b)[a-z]+/g,
    'is not a …, there is no …',
  ],
  [/(?<=^|[.;:] |\n|\| )Where (?!to\b)[^.?:|]{3,80}, /g, 'If …, When …'],
  [
    /\bwhere (?:absent|(?:there (?:is|are)|it has|it is) (?:no|none|absent)\b)/gi,
    'if there is no …, if omitted',
  ],
  [/\b(?:undefined|absent|empty|null|blank|throws|false|true) where\b/gi, 'if'],
  [/\bwhere to is\b/gi, 'what … is deployed to'],
  [/\b(?:whoever(?! is on call)|whosoever|of whichever)\b/gi, 'anyone who, the person who, the process that'],
  [
    /(?<!\b(?:one|some|all|both|each|most|many|none|any|two|several) )\bof which\b/gi,
    'whose, of the …, if …',
  ],
  [/\bby (?:itself|themselves)\b/gi, 'on its own, automatically'],
  [/\bshall\b/gi, 'should, must'],
  [/(?<!\bto )\bspar(?:e|es|ed|ing)\b/gi, 'save, avoid'],
  [/\bhold(?:s|ing)? (?:itself )?to\b/gi, 'follow, keep'],
  [/\b(?:leave|leaves|leaving|left) (?:it |them |the \w+ |[\w.`]+ )?away\b/gi, 'omit, leave out'],
  [/\bstands? (?:in|before|on|behind|beside|there|after)\b/gi, 'be in, come before'],
  [/\b(?:lie|lies|lay) (?:there|beside)\b/gi, 'be there, be next to'],
  [/\bon (?:its|their) way\b/gi, 'in flight, being sent'],
  [/\bmend(?:s|ed|ing)?\b/gi, 'fix, repair, normalize'],
  [/\bin vain\b/gi, 'without success, for no reason'],
  [/\bof no account\b/gi, 'irrelevant, ignored'],
  [/\b(?:came|comes|becomes?|became) of\b/gi, 'the result of, the outcome of'],
  [/\bwarned of\b/gi, 'cause a warning'],
  [/\bany more\b(?! than)/gi, 'no longer'],
  [/\bunder way\b/gi, 'in progress'],
  [/\ball the same\b/gi, 'anyway'],
  [/\b(?:can|could|to) be had\b/gi, 'be available, be read'],
  [/\bwritten down\b|\bwrit(?:es?|ing) down\b/gi, 'record'],
  [/, also (?:if|when|where|after|those|as)\b/gi, 'even if, including'],
  [
    /(?<!\b[Tt]here )\bare no (?!longer\b|more\b|less\b|different\b|use\b|other\b)[a-z]+/g,
    'are not …, there are no …',
  ],
  [/\bwants? (?:its|another|other)\b/gi, 'require, need'],
  [/\b(?:speaks|takes|knows) no(?:thing)? [a-z]+ (?:from|of|where)\b/gi, 'does not support, does not accept'],
  [/\bso many (?:\w+ )?(?:wait|times|lines|bytes|events|tries|connections)\b/gi, 'this many, a number of'],
  [/\b(?:thereof|whereof|wherein|whereby|hitherto|henceforth)\b/gi, 'plain words'],
]

/** The same, with a space that also matches the end of a line. */
const ACROSS_LINES = PHRASES.map(
  ([{ source, flags }, instead]) =>
    [new RegExp(source.replaceAll(' ', String.raw`\s+`), flags), instead] as const,
)

export interface Finding {
  readonly line: number
  readonly phrase: string
  readonly instead: string
}

/** Finds phrases to reword, also across the lines of a paragraph or comment. Code and generated parts of Markdown are skipped. */
export function findPhrases(text: string, { isMarkdown }: { readonly isMarkdown: boolean }): Finding[] {
  const prose = isMarkdown ? blankCode(text) : text
  // Comment marks become spaces, which keeps the offsets.
  const joined = prose.replaceAll(/\n(?![ \t]*\n)[ \t]*(?:\*(?!\/)|\/\/|# |> )?/g, blank)
  return ACROSS_LINES.flatMap(([pattern, instead]) =>
    [...joined.matchAll(pattern)].map((match) => ({
      line: text.slice(0, match.index).split('\n').length,
      phrase: match[0].replaceAll(/\s+/g, ' ').trim(),
      instead,
    })),
  ).toSorted((a, b) => a.line - b.line)
}

/** Blanks what is not prose, or comes from somewhere else. */
function blankCode(markdown: string): string {
  return markdown.replaceAll(
    /<!-- generated: [^>]+ -->[\s\S]*?<!-- \. -->|^```[\s\S]*?^```$|(`{1,2})(?!`)[^`]+?\1/gm,
    blank,
  )
}

function blank(text: string): string {
  return text.replaceAll(/[^\n]/g, ' ').replace(/^\n/, ' ')
}

function filesToCheck(root: URL): string[] {
  return PLACES.flatMap((place) => {
    const files = globSync([place, `${place}/**`], { cwd: fileURLToPath(root) }).filter((file) =>
      statSync(new URL(file, root)).isFile(),
    )
    if (files.length === 0)
      throw new Error(`${place} is not there: correct the list in scripts/check-prose.ts`)
    return files.filter((file) => PROSE_FILE.test(file) && !EXCLUDED.includes(file))
  })
}

if (import.meta.main) {
  const root = new URL('../', import.meta.url)
  const findings = filesToCheck(root).flatMap((file) =>
    findPhrases(readFileSync(new URL(file, root), 'utf8'), { isMarkdown: file.endsWith('.md') }).map(
      ({ line, phrase, instead }) => `${file}:${line}: "${phrase}": ${instead}`,
    ),
  )
  for (const finding of findings) console.error(finding)
  if (findings.length > 0) process.exitCode = 1
}
