/**
 * A sentence for the compiler to print where a declaration is wrong.
 *
 * An object type, because a conflict of two string literals would turn the whole declaration into `never` and
 * the sentence would be lost.
 */
export interface Mistake<Sentence extends string> {
  readonly mistake: Sentence
}
