import { connect } from 'node:net'

/** A reply as it stood on the wire, with fields that are repeated. */
export interface WireReply {
  readonly status: number
  /** In the order of the wire, names in lower case. */
  readonly fields: readonly (readonly [name: string, value: string])[]
  readonly body: Buffer
  /** The values of a field, one for each of its lines. */
  values(name: string): readonly string[]
}

/** Sends bytes to a port of this machine, and reads until the server closes the connection. */
export function bytesFrom(port: number, bytes: string): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes))
    socket.setTimeout(5_000, () => socket.destroy(new Error('the server has not closed the connection')))
    socket.on('data', (chunk: Buffer) => void chunks.push(chunk))
    socket.on('close', () => resolve(Buffer.concat(chunks)))
    socket.on('error', (error: Error & { code?: string }) => {
      if (error.code !== 'ECONNRESET') reject(error)
    })
  })
}

/** The first reply with a final status in what a connection carried. */
export function replyIn(bytes: Buffer): WireReply {
  let start = 0
  for (;;) {
    const end = bytes.indexOf('\r\n\r\n', start)
    const [line = '', ...lines] = bytes
      .subarray(start, end === -1 ? bytes.length : end)
      .toString('latin1')
      .split('\r\n')
    const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(line)?.[1] ?? Number.NaN)
    if (status >= 100 && status < 200 && end !== -1) {
      start = end + 4
      continue
    }
    const fields = lines.map((field): readonly [string, string] => {
      const colon = field.indexOf(':')
      return [field.slice(0, colon).toLowerCase(), field.slice(colon + 1).trim()]
    })
    const values = (name: string) => fields.filter(([other]) => other === name).map(([, value]) => value)
    const raw = bytes.subarray(end === -1 ? bytes.length : end + 4)
    return {
      status,
      fields,
      values,
      body: values('transfer-encoding').includes('chunked') ? unchunked(raw) : raw,
    }
  }
}

function unchunked(bytes: Buffer): Buffer {
  const parts: Buffer[] = []
  for (let at = 0; ; ) {
    const end = bytes.indexOf('\r\n', at)
    const size = Number.parseInt(bytes.subarray(at, end).toString('latin1'), 16)
    if (!(size > 0)) return Buffer.concat(parts)
    parts.push(bytes.subarray(end + 2, end + 2 + size))
    at = end + 2 + size + 2
  }
}

/** Asks a port of this machine for something, as the only request of a connection. */
export async function askOnWire(
  port: number,
  line: string,
  fields: readonly string[] = [],
  body = '',
): Promise<WireReply> {
  const length = body === '' ? [] : [`Content-Length: ${Buffer.byteLength(body)}`]
  const head = [`${line} HTTP/1.1`, `Host: localhost:${port}`, 'Connection: close', ...length, ...fields]
  return replyIn(await bytesFrom(port, `${head.join('\r\n')}\r\n\r\n${body}`))
}
