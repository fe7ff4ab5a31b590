/** The password of all people of the bench; it opens nothing else. */
export const benchPassword = 'violet anchors hum softly'

/** What is measured at each size. */
export const operations = ['read', 'list', 'second page', 'refresh', 'sign in'] as const

/** One of {@link operations}. */
export type Operation = (typeof operations)[number]

/** What grows. */
export const dimensions = [
  'accounts',
  'sessions',
  'notes of one owner',
  'notes of many',
  'audit events',
  'limit keys',
] as const

/** One of {@link dimensions}. */
export type Dimension = (typeof dimensions)[number]
