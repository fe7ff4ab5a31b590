import { open } from 'node:fs/promises'
import { sha1Hex } from '../crypto/index.ts'

/** Where it is asked whether a password has been in a breach. */
export type BreachSource =
  /** A service for ranges of SHA-1 digests: it is told five of their forty digits, never a password. */
  | {
      readonly kind: 'service'
      /** `https://api.pwnedpasswords.com/range/`, or one of your own; the five digits are put after it. */
      readonly url: string
      /** How long an answer may take, in milliseconds; 1,000 unless given. */
      readonly timeoutMs?: number
      /** What happens when there is none: the password is taken, which is the default, or refused. */
      readonly onFailure?: 'take' | 'refuse'
    }
  /** A file of `SHA1:count` lines, sorted, as Have I Been Pwned offers it. It is searched, not loaded. */
  | { readonly kind: 'file'; readonly path: string }

const defaultTimeoutMs = 1_000
const answerMaxBytes = 1_000_000

/**
 * Whether a password has been in a breach.
 *
 * @throws Error when the source cannot be asked, and refuses then
 * @see OWASP ASVS 5.0 §6.2.12; NIST SP 800-63B-4 §3.1.1.2
 */
export async function isBreached(password: string, source: BreachSource): Promise<boolean> {
  const digest = sha1Hex(password).toUpperCase()
  if (source.kind === 'file') return await isInFile(digest, source.path)
  try {
    return await isInRange(digest, source.url, source.timeoutMs ?? defaultTimeoutMs)
  } catch (error) {
    if (source.onFailure === 'refuse') throw error
    return false
  }
}

async function isInRange(digest: string, url: string, timeoutMs: number): Promise<boolean> {
  const response = await fetch(`${url}${digest.slice(0, 5)}`, {
    // Padding hides from whoever watches the line how many there are.
    headers: { 'add-padding': 'true', 'user-agent': 'holdfast' },
    signal: AbortSignal.timeout(timeoutMs),
    redirect: 'error',
  })
  if (!response.ok) throw new TypeError(`the range service answered ${response.status}`)
  const text = await response.text()
  if (text.length > answerMaxBytes) throw new TypeError('the range service answered too much')
  const rest = digest.slice(5)
  return text.split(/\r?\n/).some((line) => {
    const [suffix, count] = line.split(':')
    // Padding has the count 0.
    return suffix?.toUpperCase() === rest && Number(count) > 0
  })
}

const stepBytes = 256

/** Finds a digest in a sorted file by halving it: about forty reads for one of forty gigabytes. */
async function isInFile(digest: string, path: string): Promise<boolean> {
  const file = await open(path, 'r')
  try {
    const { size } = await file.stat()
    let low = 0
    let high = size
    const buffer = Buffer.alloc(stepBytes)
    while (low < high) {
      const middle = Math.floor((low + high) / 2)
      const start = Math.max(0, middle - 64)
      const { bytesRead } = await file.read(buffer, 0, stepBytes, start)
      const text = buffer.toString('latin1', 0, bytesRead)
      const lineStart = text.lastIndexOf('\n', middle - start - 1) + 1
      const found = text.slice(lineStart, lineStart + digest.length).toUpperCase()
      if (found === digest) return true
      const at = start + lineStart
      if (found < digest) {
        const lineEnd = text.indexOf('\n', lineStart)
        low = lineEnd < 0 ? size : start + lineEnd + 1
      } else high = at
    }
    return false
  } finally {
    await file.close()
  }
}
