import {
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { Secret } from '../base/index.ts'
import { randomToken } from '../crypto/index.ts'
import { errorCode } from './files.ts'
import { makeDevelopmentSecret, parseSecret, secretBytes } from './root-secret.ts'
import { bad, good, type Parsed } from './setting.ts'

const fileName = 'secret'

/**
 * The root secret of a development machine: the one kept in the data folder, made there on the first start.
 *
 * Two first starts at once agree on one secret: each writes a file of its own and links it to the name, which only
 * one of them can do, and nobody ever sees a part of it.
 *
 * @param dataDir Absolute; made with mode 0700 when missing.
 * @see OWASP ASVS 5.0 §13.3.1, §13.3.2
 */
export function developmentSecret(dataDir: string): Parsed<Secret<Buffer>> {
  const path = join(dataDir, fileName)
  try {
    return readSecret(path) ?? makeSecret(dataDir, path)
  } catch (error) {
    return bad(
      `cannot be kept in the data folder (${errorCode(error)})`,
      `let the server write to the folder of HOLDFAST_DATA_DIR, or set HOLDFAST_SECRET`,
    )
  }
}

function makeSecret(dataDir: string, path: string): Parsed<Secret<Buffer>> {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 })
  const draft = join(dataDir, `${fileName}.${randomToken(16)}`)
  const secret = makeDevelopmentSecret()
  try {
    const descriptor = openSync(draft, 'wx', 0o600)
    try {
      writeFileSync(descriptor, `${secret.toString('base64')}\n`)
      fsyncSync(descriptor)
    } finally {
      closeSync(descriptor)
    }
    linkSync(draft, path)
    return good(new Secret(secret))
  } catch (error) {
    if (errorCode(error) !== 'EEXIST') throw error
    return readSecret(path) ?? bad('was removed while it was read', 'start again')
  } finally {
    rmSync(draft, { force: true })
  }
}

/** `null` when there is no file yet. */
function readSecret(path: string): Parsed<Secret<Buffer>> | null {
  let descriptor: number
  try {
    // Not through a link: whoever can write to the folder could point it at a file of their choice.
    descriptor = openSync(
      path,
      constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0),
    )
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return null
    if (errorCode(error) === 'ELOOP')
      return bad('is kept in a link, not in a file', `remove ${fileName} in the data folder`)
    throw error
  }
  try {
    // The open file is asked, not its name, so that it cannot be exchanged between the look and the reading.
    const stat = fstatSync(descriptor)
    if (!stat.isFile()) return bad('is not kept in a regular file', `remove ${fileName} in the data folder`)
    // Windows has no such bits and reports them as set.
    if (process.platform !== 'win32' && (stat.mode & 0o077) !== 0) {
      return bad(
        `is kept in a file that others may read or write`,
        `chmod 600 ${fileName} in the data folder`,
      )
    }
    // 44 characters and a line end; a longer file is none of ours.
    const text = stat.size > secretBytes * 2 ? '' : readFileSync(descriptor, 'utf8').trim()
    const parsed = parseSecret(text)
    return parsed.ok
      ? parsed
      : bad(
          'is kept in a file that holds no whole secret',
          `remove ${fileName} in the data folder to have a new one made`,
        )
  } finally {
    closeSync(descriptor)
  }
}
