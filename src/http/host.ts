/** What the host check says: the request may go on, is malformed (400), or is not for us (421). */
export type HostVerdict = 'ours' | 'malformed' | 'misdirected'

/** What the host check looks at. */
export interface HostFacts {
  /** The Host field; `undefined` when absent. */
  readonly host: string | undefined
  /** The request target as sent; in absolute form it names an authority too. */
  readonly target: string
  /** The port that the request came in on; `undefined` for one that came through no socket. */
  readonly localPort: number | undefined
}

const authority = /^(?:\[[0-9a-f:.]{2,45}\]|[a-z0-9](?:[a-z0-9._-]{0,253}[a-z0-9])?)(?::\d{1,5})?$/i
const absoluteForm = /^https?:\/\/([^/?#]*)/i
const loopbackNames: readonly string[] = ['localhost', '127.0.0.1', '[::1]']

/**
 * Makes the host check for one public origin. Everything that is built from a host name (links, redirects,
 * cached replies) takes it from the configuration, and a request for any other name goes no further.
 *
 * @param origin The public origin.
 * @param mode Outside production the loopback names with the listening port are accepted too.
 * @see RFC 9110 §7.4, RFC 9112 §3.2
 */
export function hostCheck(
  origin: URL,
  mode: 'development' | 'test' | 'production',
): (facts: HostFacts) => HostVerdict {
  const defaultPort = origin.protocol === 'https:' ? '443' : '80'
  const ours = origin.host.toLowerCase()
  const isOurs = (host: string, localPort: number | undefined): boolean => {
    const name = withoutPort(host.toLowerCase(), defaultPort)
    if (name === ours) return true
    return (
      mode !== 'production' &&
      loopbackNames.some((loopback) => name === portAdded(loopback, localPort, defaultPort))
    )
  }
  // Nearly every request is for the host of the one before.
  let knownHost: string | undefined
  let knownPort: number | undefined
  return ({ host, target, localPort }) => {
    if (host === knownHost && localPort === knownPort && host !== undefined && target.startsWith('/'))
      return 'ours'
    if (host === undefined || !authority.test(host)) return 'malformed'
    const named = absoluteForm.exec(target)?.[1]
    if (named !== undefined && !authority.test(named)) return 'malformed'
    if (named !== undefined && !isOurs(named, localPort)) return 'misdirected'
    if (!isOurs(host, localPort)) return 'misdirected'
    knownHost = host
    knownPort = localPort
    return 'ours'
  }
}

function withoutPort(host: string, defaultPort: string): string {
  return host.endsWith(`:${defaultPort}`) ? host.slice(0, -defaultPort.length - 1) : host
}

function portAdded(name: string, port: number | undefined, defaultPort: string): string {
  return port === undefined || String(port) === defaultPort ? name : `${name}:${port}`
}
