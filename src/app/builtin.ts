import { per } from '../limits/index.ts'
import { defaultLimitClasses, type LimitClass } from '../route/index.ts'

/** Limit classes of Holdfast's own routes. An application's class of the same name wins. */
export const builtinLimits: Readonly<
  Record<'probe' | 'reference' | 'unknown' | 'auth' | 'token' | 'account' | 'admin' | 'pages', LimitClass>
> = {
  /** Health probes: an orchestrator asks every second or so. */
  probe: per('minute', 600),
  /** The OpenAPI document and its page. */
  reference: per('minute', 120),
  /** Registering, logging in, refreshing, the links of mails. Failed passwords have limits of their own beside it. */
  auth: defaultLimitClasses.auth,
  /**
   * Tokens of mails and of sessions. They hold 256 bits, so a guess is no danger; whoever guesses is one all the same,
   * and pays more than whoever has the right one.
   */
  token: per('minute', 60, {
    slowDown: { after: 40, maxDelayMs: 1_000 },
    and: { failed: per('hour', 100, { by: ['address', 'network'], counts: 'failures' }) },
    outage: 'strict',
  }),
  /** A person's own account and sessions. */
  account: per('minute', 120),
  /** The pages of accounts: each is a dozen files. */
  pages: per('minute', 900),
  /** Administrators managing accounts. */
  admin: per('minute', 300),
  /** Requests that no route answers: crawlers and scanners. */
  unknown: per('minute', 300),
}
