import { SharedLocks } from '../../src/limits/index.ts'
import { takeSeat } from '../../src/workers/index.ts'

// A worker that listens to nobody. The second one ends with a lock in its hands; the one in its place asks for it.
const { seat } = takeSeat()
const { buffer } = seat.memory.region('held', 8)
const lock = new SharedLocks(new Int32Array(buffer), seat.memory)
seat.signals.on('SIGTERM', () => seat.signals.exit(0))
seat.hear('sum', (value: number) => value * seat.number)
seat.hear('name', () => seat.memory.holder)
seat.listening(1)
const whole = setInterval(async () => {
  if (!seat.isWhole()) return
  clearInterval(whole)
  if (seat.number === 1) {
    await seat.ask('sums', await seat.gather('sum', 10, 5_000))
    await seat.ask('names', await seat.collect('name', 5_000))
    await seat.gather('end', null, 5_000)
  }
  if (seat.memory.holder <= 3) return
  lock.acquire(0)
  await seat.ask('took', (await seat.collect('name', 5_000)).left)
  lock.release(0)
}, 5)
seat.hear('end', () => {
  if (seat.number !== 2) return
  lock.acquire(0)
  process.exit(3)
})
