import { type Argon2Cost, argon2Floor, hashPassword } from '../crypto/index.ts'

// 64 MiB is the second recommendation of RFC 9106 §4; past it a server pays more in passes, not in memory.
const memoryMaxKib = 65_536
const passMaxCount = 16

/**
 * The cost at which one hash takes about so long on this machine, at least the floor. Memory grows first, since that
 * is what a guesser on graphics cards lacks; then passes.
 *
 * @param targetMs How long one hash should take, in milliseconds.
 * @see NIST SP 800-63B-4 §3.1.1.2 (cost as high as practical); OWASP ASVS 5.0 §11.4.2
 */
export async function calibrate(targetMs: number): Promise<Argon2Cost> {
  // The first one loads the library.
  await timeOf(argon2Floor)
  const floorMs = Math.min(await timeOf(argon2Floor), await timeOf(argon2Floor))
  const factor = targetMs / floorMs
  if (factor <= 1) return argon2Floor
  const { memoryKib, passCount, laneCount } = argon2Floor
  const grown = Math.min(memoryMaxKib, Math.floor((memoryKib * factor) / 1024) * 1024)
  const rest = factor / (grown / memoryKib)
  return {
    memoryKib: Math.max(memoryKib, grown),
    passCount: Math.min(passMaxCount, Math.max(passCount, Math.floor(passCount * rest))),
    laneCount,
  }
}

async function timeOf(cost: Argon2Cost): Promise<number> {
  const startMs = performance.now()
  await hashPassword('a password to measure with', cost)
  return performance.now() - startMs
}
