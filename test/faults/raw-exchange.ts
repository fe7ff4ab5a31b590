import { connect } from 'node:net'

/** One reply, cut out of what a connection carried. */
export interface RawReply {
  readonly status: number
  /** Header fields, names in lower case. */
  readonly fields: ReadonlyMap<string, string>
  readonly body: string
}

/** All that a connection carried until it was closed. */
export interface RawExchange {
  readonly replies: readonly RawReply[]
  readonly text: string
}

/**
 * Sends bytes and reads until the server closes. A connection that the server keeps open is an error after
 * `patienceMs`: what these tests send either closes it or asks for that.
 *
 * @param parts Sent one after the other; each later one once something has come back for the one before.
 */
export function exchange(
  port: number,
  parts: string | readonly string[],
  patienceMs = 5_000,
): Promise<RawExchange> {
  const [first = '', ...later] = typeof parts === 'string' ? [parts] : parts
  return new Promise((resolve, reject) => {
    let text = ''
    const socket = connect(port, '127.0.0.1', () => socket.write(first, 'latin1'))
    const timer = setTimeout(() => {
      socket.destroy()
      reject(new Error(`still open after ${patienceMs} ms: ${text}`))
    }, patienceMs)
    socket.setEncoding('latin1')
    socket.on('data', (chunk) => {
      text += String(chunk)
      const next = later.shift()
      if (next !== undefined) socket.write(next, 'latin1')
    })
    // A reset behind a refusal is a way to close.
    socket.on('error', () => {})
    socket.on('close', () => {
      clearTimeout(timer)
      resolve({ replies: repliesIn(text), text })
    })
  })
}

function repliesIn(text: string): RawReply[] {
  const replies: RawReply[] = []
  for (let rest = text; rest !== ''; ) {
    const end = rest.indexOf('\r\n\r\n')
    const [line = '', ...fieldLines] = rest.slice(0, end === -1 ? rest.length : end).split('\r\n')
    const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(line)?.[1] ?? Number.NaN)
    const fields = new Map(
      fieldLines.map((field): [string, string] => {
        const colon = field.indexOf(':')
        return [field.slice(0, colon).toLowerCase(), field.slice(colon + 1).trim()]
      }),
    )
    const lengthBytes = Number(fields.get('content-length') ?? 0)
    const start = end === -1 ? rest.length : end + 4
    replies.push({ status, fields, body: rest.slice(start, start + lengthBytes) })
    rest = rest.slice(start + lengthBytes)
  }
  return replies
}
