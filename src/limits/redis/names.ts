import type { Secret } from '../../base/index.ts'
import { mac, sha256 } from '../../crypto/index.ts'
import type { LimitCheck } from '../limit.ts'
import type { LimitPolicy } from '../policy.ts'

const plainGroup = /^[\w.:-]{1,64}$/

/**
 * The name of a bucket in Redis: `hf:{group}:<policy>:<whose>`.
 *
 * The group stands in braces, so that a cluster keeps all buckets of a request in one slot, where one script can see
 * them. The policy stands as a digest of what it is: a rule that changes begins anew. Whose it is stands as a keyed
 * digest: who can read Redis learns neither addresses nor account ids, and cannot try out the few milliards of IPv4
 * addresses either; as the policy is part of it, one caller looks different in each.
 */
export class BucketNames {
  readonly #key: Secret<Buffer>
  // One for each policy of the configuration; requests cannot add any.
  readonly #prefixes = new WeakMap<LimitPolicy, string>()

  constructor(key: Secret<Buffer>) {
    this.#key = key
  }

  of({ policy, key }: LimitCheck): string {
    // The length in front keeps any two pairs of policy and key apart.
    const whose = mac(this.#key, `${policy.id.length}:${policy.id}${key}`)
    return this.#prefixOf(policy) + whose.toString('base64url', 0, 16)
  }

  #prefixOf(policy: LimitPolicy): string {
    const known = this.#prefixes.get(policy)
    if (known !== undefined) return known
    // A brace of its own in the name of a group would end the part that decides the slot.
    const group = plainGroup.test(policy.group) ? policy.group : digestOf(policy.group)
    const made = `hf:{${group}}:${digestOf(policy.id)}:`
    this.#prefixes.set(policy, made)
    return made
  }
}

function digestOf(text: string): string {
  return sha256(text).toString('base64url', 0, 12)
}
