import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { type IsTrusted, isForwardedSecure } from './forwarded.ts'

/** Header fields as pairs, names in lower case. */
export type HeaderBlock = readonly (readonly [name: string, value: string])[]

/** The content security policy of everything that is not a page: such a reply loads, frames and submits nothing. */
export const dataPolicy = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"

const permissions = [
  'accelerometer',
  'autoplay',
  'camera',
  'clipboard-read',
  'clipboard-write',
  'cross-origin-isolated',
  'display-capture',
  'encrypted-media',
  'fullscreen',
  'gamepad',
  'geolocation',
  'gyroscope',
  'hid',
  'identity-credentials-get',
  'idle-detection',
  'interest-cohort',
  'keyboard-map',
  'magnetometer',
  'microphone',
  'midi',
  'payment',
  'picture-in-picture',
  'publickey-credentials-get',
  'screen-wake-lock',
  'serial',
  'sync-xhr',
  'unload',
  'usb',
  'web-share',
  'xr-spatial-tracking',
]

const plainBlock: HeaderBlock = [
  ['cache-control', 'no-store, max-age=0'],
  ['content-security-policy', dataPolicy],
  ['cross-origin-embedder-policy', 'require-corp'],
  ['cross-origin-opener-policy', 'same-origin'],
  ['cross-origin-resource-policy', 'same-origin'],
  ['permissions-policy', permissions.map((name) => `${name}=()`).join(', ')],
  ['referrer-policy', 'no-referrer'],
  // A shared cache must never serve one origin's CORS grant to another, not even where there is none.
  ['vary', 'Origin'],
  ['x-content-type-options', 'nosniff'],
  ['x-dns-prefetch-control', 'off'],
  ['x-frame-options', 'DENY'],
  ['x-permitted-cross-domain-policies', 'none'],
]

const secureBlock: HeaderBlock = [
  ...plainBlock,
  ['strict-transport-security', 'max-age=63072000; includeSubDomains'],
]

/**
 * The security headers that stand on every reply of every kind, computed once.
 *
 * @param isSecure HSTS is for replies over TLS only (RFC 6797 §7.2).
 * @see OWASP ASVS 5.0 §3.4, OWASP Secure Headers Project
 */
export function securityHeaders(isSecure: boolean): HeaderBlock {
  return isSecure ? secureBlock : plainBlock
}

/** Tells whether a request came over TLS: to this server, or to a trusted proxy in front of an https origin. */
export function secureCheck(origin: URL, isTrusted: IsTrusted): (request: IncomingMessage) => boolean {
  const isHttps = origin.protocol === 'https:'
  return ({ socket, headers }) => {
    if (isTlsSocket(socket)) return true
    const proto = headers['x-forwarded-proto']
    return isHttps && typeof proto === 'string' && isForwardedSecure(socket.remoteAddress, proto, isTrusted)
  }
}

/** True for a socket that speaks TLS. */
export function isTlsSocket(socket: Socket): socket is TLSSocket {
  return 'encrypted' in socket && socket.encrypted === true
}

const ownNames: readonly string[] = [
  '$wsep',
  'Host-Header',
  'K-Proxy-Request',
  'Liferay-Portal',
  'OracleCommerceCloud-Version',
  'Pega-Host',
  'Powered-By',
  'Product',
  'Server',
  'SourceMap',
]

const xNames =
  `AspNet-Version AspNetMvc-Version Atmosphere-error Atmosphere-first-request Atmosphere-tracking-id B3-ParentSpanId
  B3-Sampled B3-SpanId B3-TraceId BEServer Backside-Transport CF-Powered-By CMS CalculatedBETarget Cocoon-Version
  Content-Encoded-By Datadog-Origin Datadog-Parent-Id Datadog-Sampling-Priority Datadog-Tags Datadog-Trace-Id DiagInfo
  Envoy-Attempt-Count Envoy-External-Address Envoy-Internal Envoy-Original-Dst-Host Envoy-Upstream-Service-Time FEServer
  Framework Generated-By Generator Gitlab-Meta Jitsi-Release Joomla-Version Kong-Admin-Latency Kong-Client-Latency
  Kong-Proxy-Latency Kong-Request-Id Kong-Response-Latency Kong-Third-Party-Latency Kong-Total-Latency
  Kong-Upstream-Latency Kong-Upstream-Status Kubernetes-PF-FlowSchema-UI Kubernetes-PF-PriorityLevel-UID LiteSpeed-Cache
  LiteSpeed-Purge LiteSpeed-Tag LiteSpeed-Vary Litespeed-Cache-Control Mod-Pagespeed Nextjs-Cache Nextjs-Matched-Path
  Nextjs-Page Nextjs-Redirect OWA-Version Old-Content-Length OneAgent-JS-Injection Page-Speed Php-Version Powered-By
  Powered-By-Plesk Powered-CMS Redirect-By Server-Powered-By SourceFiles SourceMap Turbo-Charged-By Tyk-Trace-Id
  Umbraco-Version Varnish-Backend Varnish-Server Woodpecker-Version dtAgentId dtHealthCheck dtInjectedServlet
  ruxit-JS-Agent`.split(/\s+/)

/**
 * Reply headers that tell what a server is built of, in lower case. They are dropped wherever they come from.
 *
 * @see OWASP Secure Headers Project, headers to remove; OWASP ASVS 5.0 §13.4.6
 */
export const tellingHeaders: ReadonlySet<string> = new Set(
  [...ownNames, ...xNames.map((name) => `X-${name}`)].map((name) => name.toLowerCase()),
)
