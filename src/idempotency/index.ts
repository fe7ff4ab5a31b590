export { parseIdempotencyKey } from './idempotency-key.ts'
export { repliesMigration, repliesTable } from './migration.ts'
export { type KeptReply, OnceReplies, type OnceRequest, type OnceWork } from './once.ts'
export { replySeal } from './seal.ts'
