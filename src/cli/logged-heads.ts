import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import type { ChainHead } from '../audit/index.ts'

/** The message under which a server logs each checkpoint of the trail. */
const message = 'audit trail checkpoint'

/**
 * How far chains had come, as the log of a server says: a copy of the trail's checkpoints that whoever can write the
 * database may not be able to write.
 *
 * @param file Lines of JSON, as the server writes them; what is none is passed by.
 * @throws what the file system throws for a file that cannot be read
 */
export async function loggedHeads(file: string): Promise<readonly ChainHead[]> {
  const farthest = new Map<string, ChainHead>()
  for await (const line of createInterface({ input: createReadStream(file) })) {
    const head = line.includes(message) ? headIn(line) : null
    if (head !== null && (farthest.get(head.chain)?.seq ?? 0) < head.seq) farthest.set(head.chain, head)
  }
  return [...farthest.values()]
}

function headIn(line: string): ChainHead | null {
  let entry: unknown
  try {
    entry = JSON.parse(line)
  } catch {
    return null
  }
  if (typeof entry !== 'object' || entry === null) return null
  const { msg, chain, seq, reached }: { msg?: unknown; chain?: unknown; seq?: unknown; reached?: unknown } =
    entry
  if (msg !== message || typeof chain !== 'string' || typeof seq !== 'number' || typeof reached !== 'string')
    return null
  // It is logged in groups, so that redaction does not take it for a key.
  return { chain, seq, hash: reached.replaceAll(' ', '') }
}
