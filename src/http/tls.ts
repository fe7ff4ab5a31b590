import { readFileSync, type StatWatcher, unwatchFile, watchFile } from 'node:fs'
import { createSecureContext, type TlsOptions, type Server as TlsServer } from 'node:tls'
import type { FastifyBaseLogger } from 'fastify'

/** The PEM files of the TLS listener. */
export interface TlsFiles {
  readonly certPath: string
  readonly keyPath: string
}

// Mozilla's server-side TLS guideline 6.0, profile "intermediate", in its order.
const cipherNames: readonly string[] = [
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
]
const groupNames: readonly string[] = ['X25519MLKEM768', 'X25519', 'prime256v1', 'secp384r1']

/**
 * The options of the TLS listener: Mozilla's intermediate profile, with the certificate as it stands in the files.
 *
 * @throws the file system's error when a file cannot be read.
 * @see OWASP ASVS 5.0 §12.1.1, §12.1.2; https://ssl-config.mozilla.org/guidelines/6.0.json
 */
export function tlsOptions(files: TlsFiles): TlsOptions {
  return {
    cert: readFileSync(files.certPath),
    key: readFileSync(files.keyPath),
    minVersion: 'TLSv1.2',
    maxVersion: 'TLSv1.3',
    ciphers: cipherNames.join(':'),
    ecdhCurve: groupNames.join(':'),
    // The client knows whether it has hardware for AES, so it chooses.
    honorCipherOrder: false,
    handshakeTimeout: 10_000,
  }
}

/** How to follow the certificate files. */
export interface TlsWatch {
  readonly files: TlsFiles
  readonly logger: FastifyBaseLogger
  /** Milliseconds between two looks at the files. */
  readonly pollMs: number
}

/**
 * Loads the certificate again whenever one of its files changes. Connections that are open stay open; files that
 * do not fit together leave the old certificate in place.
 *
 * It looks at the files instead of subscribing to them, because mounted secrets are swapped by symbolic link, of
 * which a subscription to the file hears nothing.
 *
 * @returns Stops watching.
 */
export function watchCertificate(server: TlsServer, { files, logger, pollMs }: TlsWatch): () => void {
  const reload = (): void => {
    try {
      const options = tlsOptions(files)
      createSecureContext(options)
      server.setSecureContext(options)
      logger.info('TLS certificate reloaded')
    } catch (error) {
      logger.error({ err: error }, 'TLS certificate not reloaded, the old one stays')
    }
  }
  const paths = [files.certPath, files.keyPath]
  const watchers: StatWatcher[] = paths.map((path) =>
    watchFile(path, { interval: pollMs, persistent: false }, reload),
  )
  return () => {
    for (const watcher of watchers) watcher.removeAllListeners('change')
    for (const path of paths) unwatchFile(path, reload)
  }
}
