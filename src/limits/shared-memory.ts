/** A piece of memory that all threads of a group see. */
export interface SharedRegion {
  /** All zeros when it is first asked for. */
  readonly buffer: SharedArrayBuffer
  /** Its place among all regions, the same in every thread: whoever takes several locks takes them in this order. */
  readonly order: number
}

/** What one thread of a group needs of what the group shares. */
export interface SharedMemory {
  /** The name under which this thread holds locks: a whole number above zero that no other thread ever had. */
  readonly holder: number
  /** The place of this thread in its group, from 0; a thread that takes the place of a dead one has the same. */
  readonly seat: number
  /** How many places there are. */
  readonly seatCount: number
  /** 16 bytes that nobody outside of the group can guess, the same in every thread. */
  readonly hashSecret: Buffer
  /** Whether a thread has ended: what it held is nobody's any more. Never true of one that still runs. */
  isGone(holder: number): boolean
  /**
   * The region of a name; whoever asks first makes it. Names come from the configuration, never from a request.
   *
   * @throws AssertionError for a region that is there with another size
   */
  region(name: string, byteCount: number): SharedRegion
}
