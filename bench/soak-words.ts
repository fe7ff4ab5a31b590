/** What the soak may ask of its server, on the channel between the two processes. */
export const soakWants = { memory: 'memory', trail: 'trail' } as const

/** What the server of the soak says on that channel. */
export type SoakReply =
  | { readonly kind: 'listening'; readonly address: string }
  | MemorySample
  | { readonly kind: 'trail'; readonly rowCount: number; readonly findingCount: number }
  | { readonly kind: 'stopped'; readonly outcome: string }

/** The memory of an idle server after a full collection. */
export interface MemorySample {
  readonly kind: 'memory'
  /** The heap and what it holds outside of it. */
  readonly aliveBytes: number
  readonly residentBytes: number
  /** How late the event loop was since the sample before, 99th percentile. */
  readonly delayP99Ms: number
}

/** The password of all people of the soak; it opens nothing else. */
export const soakPassword = 'violet anchors hum softly'
