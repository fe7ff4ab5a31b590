import { RedisFault } from './fault.ts'
import type { Link } from './link.ts'
import { run, scriptOf } from './script.ts'

const nodesKey = 'hf:nodes'

// The score is when a node counts as gone. It writes, so a Redis that only reads, or is full, is found out here.
const heartbeat = scriptOf(`
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
redis.call('ZADD', KEYS[1], string.format('%d', now + ARGV[2]), ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return redis.call('ZCARD', KEYS[1])
`)

/**
 * Says that this node is there, for `presentMs`, and asks how many are.
 *
 * @throws RedisFault
 */
export async function beat(link: Link, nodeId: string, presentMs: number): Promise<number> {
  const reply = await run(link, heartbeat, [nodesKey], [nodeId, String(presentMs)])
  if (typeof reply !== 'number') throw new RedisFault('Redis gave an answer that is none.', 'REPLY')
  return reply
}

/** Says that this node is gone. */
export async function signOff(link: Link, nodeId: string): Promise<void> {
  await link.send(nodesKey, ['ZREM', nodesKey, nodeId])
}
