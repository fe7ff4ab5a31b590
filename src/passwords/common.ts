import { brotliDecompressSync } from 'node:zlib'

let list: string | undefined

/**
 * Whether a password is among the most common ones, in any case of its letters.
 *
 * @param password At least eight characters, or it is not in the list.
 * @see NIST SP 800-63B-4 §3.1.1.2; OWASP ASVS 5.0 §6.2.4
 */
export async function isCommon(password: string): Promise<boolean> {
  list ??= await read()
  return find(list, password.toLowerCase())
}

// Only once somebody sets a password: most processes never need it.
async function read(): Promise<string> {
  const { commonList } = await import('./common-list.ts')
  return brotliDecompressSync(Buffer.from(commonList, 'base64')).toString()
}

/** Finds a line in a sorted text of lines by halving it. */
function find(lines: string, wanted: string): boolean {
  let low = 0
  let high = lines.length
  while (low < high) {
    const middle = (low + high) >> 1
    const start = lines.lastIndexOf('\n', middle - 1) + 1
    const end = lines.indexOf('\n', start)
    const line = lines.slice(start, end < 0 ? lines.length : end)
    if (line === wanted) return true
    if (line < wanted) low = start + line.length + 1
    else high = start
  }
  return false
}

/** How many passwords the list holds, and how many of them are long enough to be one by themselves. */
export async function commonCounts(): Promise<{ readonly count: number; readonly longCount: number }> {
  list ??= await read()
  const lines = list.split('\n')
  return { count: lines.length, longCount: lines.filter((line) => line.length >= 15).length }
}
