import type { Secret } from '../base/index.ts'
import { equalConstantTime, mac, randomToken } from '../crypto/index.ts'

/** A device on which somebody has logged in before. */
export interface KnownDevice {
  readonly deviceId: string
}

const validDays = 180
const dayMs = 86_400_000
const pattern = /^([A-Za-z0-9_-]{22})\.([1-9]\d{0,5})\.([A-Za-z0-9_-]{43})$/

/**
 * Cookies that tell a device on which somebody has logged in before from one that nobody knows. What strangers try
 * does not count against it, so they cannot lock the owner out; it lets nobody in by itself.
 *
 * @see OWASP "Slow Down Online Guessing Attacks with Device Cookies"; OWASP ASVS 5.0 §6.1.1
 */
export class DeviceCookies {
  readonly #keys: readonly Secret<Buffer>[]
  readonly #nowMs: () => number

  /** @param keys Derived for `device-cookie`: the current one first, then the one of the root secret before. */
  constructor(keys: readonly [Secret<Buffer>, ...Secret<Buffer>[]], nowMs: () => number = Date.now) {
    this.#keys = keys
    this.#nowMs = nowMs
  }

  /** A new device of an account. @param account Its address in its one spelling. */
  issue(account: string): KnownDevice & { readonly value: string } {
    const deviceId = randomToken(16)
    const endDay = Math.floor(this.#nowMs() / dayMs) + validDays
    const [key] = this.#keys
    if (key === undefined) throw new TypeError('there is a current key')
    return { deviceId, value: `${deviceId}.${endDay}.${tagOf(key, account, deviceId, endDay)}` }
  }

  /** The device of a cookie; `null` for one that is missing, past its time, made up, or of another account. */
  verify(value: string | undefined, account: string): KnownDevice | null {
    const [, deviceId, end, tag] = pattern.exec(value ?? '') ?? []
    if (deviceId === undefined || tag === undefined) return null
    const endDay = Number(end)
    if (endDay * dayMs <= this.#nowMs()) return null
    const isOurs = this.#keys.some((key) => equalConstantTime(tag, tagOf(key, account, deviceId, endDay)))
    return isOurs ? { deviceId } : null
  }
}

function tagOf(key: Secret<Buffer>, account: string, deviceId: string, endDay: number): string {
  return mac(key, JSON.stringify([account, deviceId, endDay])).toString('base64url')
}
