import { readFileSync } from 'node:fs'

/** The scripts, as the browser loads them. `app.js` is the first; it imports the others. */
export const scriptNames: readonly string[] = [
  'app.js',
  'account.js',
  'api.js',
  'countdown.js',
  'entry.js',
  'form.js',
  'links.js',
  'notes.js',
  'page.js',
  'password.js',
  'sessions.js',
]

/**
 * The text of a script. The scripts are plain JavaScript, checked by the compiler through their comments, so the file
 * beside this one is what a browser takes, among the sources as well as in the build.
 */
export function scriptText(name: string): string {
  const text = readFileSync(new URL(`./browser/${name}`, import.meta.url), 'utf8')
  // The build adds a link to its source map, which is not served.
  return text.replace(/\n\/\/# sourceMappingURL=.*\s*$/, '\n')
}
