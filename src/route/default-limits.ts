import type { LimitClass } from './limit-class.ts'

/**
 * The limit classes that every application has; one of the same name in `words({ limits })` takes its place. They suit a
 * person with a browser, and a program that is not in a hurry.
 */
export const defaultLimitClasses = {
  /** Reading a row or a page of rows. */
  read: { count: 300, windowSeconds: 60 },
  /** Making and changing rows. */
  write: { count: 60, windowSeconds: 60 },
  /** Whatever takes a secret: strict while the shared store does not answer. */
  auth: { count: 60, windowSeconds: 60, outage: 'strict' },
  /** Files: few, and few at once. */
  upload: {
    count: 20,
    windowSeconds: 60,
    concurrentCount: 3,
    and: { daily: { count: 500, windowSeconds: 86_400 } },
  },
  /** Reports, exports, searches: what costs the server as much as a hundred reads. */
  expensive: {
    count: 10,
    windowSeconds: 60,
    concurrentCount: 2,
    slowDown: { after: 5, maxDelayMs: 1_000 },
  },
} as const satisfies Readonly<Record<string, LimitClass>>

/** The names of the limit classes that every application has. */
export type DefaultLimit = keyof typeof defaultLimitClasses
