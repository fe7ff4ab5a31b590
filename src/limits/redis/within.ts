import { timeoutFault } from './fault.ts'

/**
 * The outcome of some work, or a fault after `timeoutMs`. The work goes on, and what comes of it later is dropped.
 *
 * The trap: when this process was busy, the timer is due before the socket has been read, although the answer may
 * have been lying there for long. So a due timer lets the socket be read first, and one that comes much too late,
 * because nothing at all ran meanwhile, starts once more.
 */
export function within<T>(timeoutMs: number, work: Promise<T>): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const startMs = performance.now()
    let isRenewed = false
    const giveUp = (): void => reject(timeoutFault(timeoutMs))
    const onDue = (): void => {
      const isLate = performance.now() - startMs > timeoutMs * 2
      if (isLate && !isRenewed) {
        isRenewed = true
        timer = setTimeout(onDue, timeoutMs)
      } else setImmediate(giveUp)
    }
    let timer = setTimeout(onDue, timeoutMs)
    work.then(resolve, reject).finally(() => clearTimeout(timer))
  })
}
