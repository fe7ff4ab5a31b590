/** Where an encrypted value stands; its ciphertext opens nowhere else. */
export interface FieldPlace {
  readonly table: string
  readonly column: string
  /** The row's key. */
  readonly row: string
}

/** What seals and opens encrypted columns. */
export interface FieldVault {
  /** How many keys are alive: as many blind indexes stand for one value while keys rotate. */
  readonly keyCount: () => number
  /** The text to store. @throws `INTERNAL` for what cannot be sealed */
  readonly seal: (place: FieldPlace, value: unknown) => string
  /** The value; a promise where a key has to be fetched first. @throws `INTERNAL` for what does not open */
  readonly open: (place: FieldPlace, stored: string) => unknown
  /** The blind indexes of a value, that of the active key first. */
  readonly blindIndexes: (table: string, column: string, value: unknown) => readonly string[]
}
