import { connect, isIP, type Socket } from 'node:net'
import { DeliveryFault, faultOf } from './fault.ts'

/** A syslog receiver. */
export interface SyslogTarget {
  /** RFC 5426, RFC 6587 with octet counting, RFC 5425. */
  readonly protocol: 'udp' | 'tcp' | 'tls'
  readonly host: string
  readonly port: number
}

// What a receiver should take (RFC 5424 §6.1).
const datagramMaxBytes = 2_048
const farewellMs = 1_000

/**
 * One message in one datagram. Whether anybody has got it is not known.
 *
 * @throws DeliveryFault when it could not be sent
 * @see RFC 5426 §3.1
 */
export async function deliverDatagram({ host, port }: SyslogTarget, line: Buffer): Promise<void> {
  const { createSocket } = process.getBuiltinModule('node:dgram')
  const { address, family } = await addressOf(host)
  const socket = createSocket({ type: family === 6 ? 'udp6' : 'udp4' })
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once('error', reject)
      socket.send(withoutHalves(line), port, address, (error) => (error === null ? resolve() : reject(error)))
    })
  } catch (error) {
    throw faultOf(error)
  } finally {
    socket.close()
  }
}

async function addressOf(host: string): Promise<import('node:dns').LookupAddress> {
  const { lookup } = process.getBuiltinModule('node:dns/promises')
  try {
    return await lookup(host)
  } catch (error) {
    throw faultOf(error)
  }
}

/** Cut where a character ends. */
function withoutHalves(line: Buffer): Buffer {
  if (line.length <= datagramMaxBytes) return line
  let end = datagramMaxBytes
  while (end > 0 && ((line[end] ?? 0) & 0xc0) === 0x80) end -= 1
  return line.subarray(0, end)
}

/**
 * One message over a connection of its own, its length in front: a line break in it would not begin another message.
 *
 * @throws DeliveryFault when the receiver has not taken it, or is not who it should be
 * @see RFC 6587 §3.4.1, RFC 5425 §4.3, §5.2
 */
export async function deliverStream(target: SyslogTarget, line: Buffer, signal: AbortSignal): Promise<void> {
  const socket = connectTo(target)
  const abort = (): void => void socket.destroy(new DeliveryFault('the receiver did not answer in time'))
  signal.addEventListener('abort', abort, { once: true })
  if (signal.aborted) abort()
  let patience: NodeJS.Timeout | undefined
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once('error', reject)
      socket.once('close', () => reject(new DeliveryFault('the connection broke')))
      socket.once(target.protocol === 'tls' ? 'secureConnect' : 'connect', () => {
        // What the receiver says is of no interest, but unread it would never be known to have closed.
        socket.resume()
        socket.once('end', resolve)
        socket.end(Buffer.concat([Buffer.from(`${line.length} `), line]), () => {
          // It is on its way. Receivers that go on waiting are not waited for; a refusal comes within this time.
          patience = setTimeout(resolve, farewellMs)
        })
      })
    })
  } catch (error) {
    throw faultOf(error)
  } finally {
    clearTimeout(patience)
    signal.removeEventListener('abort', abort)
    socket.destroy()
  }
}

function connectTo({ protocol, host, port }: SyslogTarget): Socket {
  if (protocol === 'tcp') return connect({ host, port })
  return process.getBuiltinModule('node:tls').connect({
    host,
    port,
    minVersion: 'TLSv1.2',
    // An address is no name to ask for (RFC 6066 §3); the certificate has to be for it all the same.
    ...(isIP(host) === 0 ? { servername: host } : {}),
  })
}
