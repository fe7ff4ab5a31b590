import { setPriority } from 'node:os'
import { parentPort } from 'node:worker_threads'
import { hashSync, verifySync } from '@node-rs/argon2'
import type { Argon2Answer, Argon2Job } from './argon2-pool.ts'

// The thread that hashes. Linux gives each thread a priority of its own: this one takes what the others leave, so that
// a flood of logins costs the other requests as little as can be. Elsewhere it would be the whole process.
const patientPriority = 10
if (process.platform === 'linux') {
  try {
    setPriority(0, patientPriority)
  } catch {
    // A container may forbid it; hashing goes on as important as the rest.
  }
}

parentPort?.on('message', (job: Argon2Job) => parentPort?.postMessage(answerTo(job)))

// The enumeration of the library exists for its compiler only.
const argon2id = 2

function answerTo(job: Argon2Job): Argon2Answer {
  const { password, secret } = job
  const peppered = secret === undefined ? {} : { secret }
  try {
    if (job.kind === 'verify') return { kind: 'verify', isRight: verifySync(job.phc, password, peppered) }
    const { memoryKib, passCount, laneCount } = job.cost
    const options = { memoryCost: memoryKib, timeCost: passCount, parallelism: laneCount, ...peppered }
    return { kind: 'hash', phc: hashSync(password, { algorithm: argon2id, ...options }) }
  } catch (error) {
    return { kind: 'failed', message: error instanceof Error ? error.message : 'unknown' }
  }
}
