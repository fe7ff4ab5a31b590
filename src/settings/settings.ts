import type { Secret } from '../base/index.ts'
import type { DetectionMode } from './alert-table.ts'
import type { AlertTargets } from './resolve-alerts.ts'
import type { LogLevel, Mode } from './table.ts'
import type { DatabaseTarget } from './targets.ts'

/** The complete configuration: checked, frozen, nothing left to decide. */
export interface Settings {
  readonly mode: Mode
  /** The address or name to listen on. */
  readonly host: string
  /** The TCP port to listen on; 0, outside production only, for any free one. */
  readonly port: number
  /**
   * The one public origin, spelled as browsers do. Without PUBLIC_ORIGIN it is made of HOST and PORT; it has port 0
   * then when PORT is 0, and whoever listens puts the real port in.
   */
  readonly publicOrigin: string
  /** The root secret, 32 bytes. Keys are derived from it by purpose; nothing else uses it. */
  readonly secret: Secret<Buffer>
  /** The root secret before this one, during a rotation. */
  readonly previousSecret: Secret<Buffer> | null
  /** The data folder, absolute. It may not exist yet. */
  readonly dataDir: string
  readonly database: DatabaseTarget
  /** The Redis URL; `null` for none. */
  readonly redis: Secret | null
  readonly mail: MailTarget
  /** Addresses and CIDR ranges whose forwarding headers count. */
  readonly trustedProxies: readonly string[]
  /** Addresses and CIDR ranges that no ban can hit, beside the trusted proxies. */
  readonly neverBanned: readonly string[]
  /** Origins that CORS grants access to, exactly. */
  readonly allowedOrigins: readonly string[]
  /** The PEM files of the listener; `null` when a proxy speaks TLS. */
  readonly tls: TlsPaths | null
  /** What comes of what detectors find. */
  readonly detection: DetectionMode
  /** The bearer token of whoever scrapes metrics; `null` for none. */
  readonly metricsToken: Secret | null
  /** Where alerts go. */
  readonly alerts: AlertTargets
  readonly logLevel: LogLevel
  /** What looks like a slip in the environment, one sentence each, to be logged. No values. */
  readonly warnings: readonly string[]
}

/** Where mail goes. */
export type MailTarget =
  | { readonly kind: 'smtp'; readonly url: Secret; readonly from: string }
  /** Each mail is written to a file of this folder instead. Outside production only. */
  | { readonly kind: 'outbox'; readonly dir: string; readonly from: string | null }

/** The PEM files of the listener, absolute. */
export interface TlsPaths {
  readonly certPath: string
  readonly keyPath: string
}
