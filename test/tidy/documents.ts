import type { Finding } from './finding.ts'
import { memberOf, recordAt } from './manifest.ts'

/** The second-level headings of a document, with their lines. Those inside a code block are none. */
export function headingsOf(text: string): readonly { readonly name: string; readonly line: number }[] {
  let fence: string | null = null
  return text.split('\n').flatMap((content, index) => {
    const mark = /^(```|~~~)/.exec(content)?.[1]
    if (mark !== undefined && (fence === null || fence === mark)) fence = fence === null ? mark : null
    const name = fence === null ? /^## +(.+?)\s*$/.exec(content)?.[1] : undefined
    return name === undefined ? [] : [{ name: name.replaceAll('`', ''), line: index + 1 }]
  })
}

/** Compares the sections of a document with the names it must have: each once, and no other. */
export function sectionFindings(path: string, text: string, names: readonly string[]): readonly Finding[] {
  const headings = headingsOf(text)
  const missing = names.filter((name) => !headings.some((heading) => heading.name === name))
  return [
    ...missing.map((name) => ({ path, line: 1, message: `"## ${name}" is missing` })),
    ...headings.flatMap(({ name, line }, index) => {
      if (!names.includes(name)) return [{ path, line, message: `"## ${name}" does not exist (any more)` }]
      const twice = headings.findIndex((heading) => heading.name === name) !== index
      return twice ? [{ path, line, message: `"## ${name}" stands twice` }] : []
    }),
  ]
}

/** Faults of the lockfile: a script that runs at installation, or an address that ties it to one registry. */
export function lockfileFindings(lockfile: unknown): readonly Finding[] {
  const path = 'package-lock.json'
  return Object.entries(recordAt(lockfile, 'packages')).flatMap(([name, entry]) => {
    const ships = memberOf(entry, 'dev') !== true
    return [
      ...(ships && memberOf(entry, 'hasInstallScript') === true
        ? [{ path, line: 1, message: `${name} ships and runs a script at installation` }]
        : []),
      ...(memberOf(entry, 'resolved') !== undefined && memberOf(entry, 'link') !== true
        ? [
            {
              path,
              line: 1,
              message: `${name} names the address it came from; the integrity hash is what counts`,
            },
          ]
        : []),
      ...(name !== '' && memberOf(entry, 'integrity') === undefined && memberOf(entry, 'link') !== true
        ? [{ path, line: 1, message: `${name} has no integrity hash` }]
        : []),
    ]
  })
}

/** Lines that name the folder of this checkout, which nobody else has. */
export function machineFindings(path: string, text: string, folder: string): readonly Finding[] {
  // A folder right under the root (`/app`) is too short to be told from ordinary text.
  if (folder.split(/[\\/]/).filter((part) => part !== '').length < 2) return []
  return text
    .split('\n')
    .flatMap((line, index) =>
      line.includes(folder) ? [{ path, line: index + 1, message: 'a path of one machine' }] : [],
    )
}
