export { type CountKeeper, countAnswers, workerCounts } from './counts.ts'
export { workerOutput } from './output.ts'
export { type Pool, type PoolOptions, startPool } from './pool.ts'
export { type Collected, takeSeat, type WorkerSeat, type WorkerSignals } from './seat.ts'
