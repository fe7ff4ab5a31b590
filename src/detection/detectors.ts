// A table: the detectors.
import type { Detector } from './detector.ts'

const minuteMs = 60_000
const hourMs = 60 * minuteMs
const dayMs = 24 * hourMs

const logins = ['login-succeeded'] as const

const credentials = [
  {
    // Nobody types a wrong password a dozen times in an hour before asking for a new one. The account is not locked:
    // strangers who guess at it would lock its owner out. Those who guess are slowed down.
    name: 'brute-force-account',
    points: ['AE2'],
    event: 'authn_login_fail_max',
    level: 'warn',
    signals: ['login-failed'],
    counts: 'signals',
    by: 'account',
    thresholdCount: 12,
    windowMs: hourMs,
    quietMs: hourMs,
    responses: ['alert'],
    summary: 'Many wrong passwords for one account.',
  },
  {
    // An address of one person has two or three wrong ones a day. An office has more, and people who get in beside.
    name: 'brute-force-address',
    points: ['AE2', 'AE3'],
    event: 'authn_login_fail_max',
    level: 'warn',
    signals: ['login-failed'],
    counts: 'signals',
    by: 'address',
    thresholdCount: 15,
    windowMs: hourMs,
    quietMs: hourMs,
    responses: ['alert', 'slow-down'],
    escalation: { thresholdCount: 60, responses: ['alert', 'ban-address'] },
    allowance: { signals: logins, eachPercent: 150, mostCount: 500 },
    summary: 'Many wrong passwords from one address.',
  },
  {
    // One person has one account, sometimes two or three. The allowance is for offices and mobile carriers.
    name: 'password-spraying',
    points: ['AE1'],
    event: 'attack_detected',
    level: 'critical',
    signals: ['login-failed'],
    counts: 'accounts',
    by: 'address',
    thresholdCount: 8,
    windowMs: hourMs,
    quietMs: hourMs,
    responses: ['alert', 'slow-down'],
    escalation: { thresholdCount: 40, responses: ['alert', 'ban-address'] },
    allowance: { signals: logins, eachPercent: 60, mostCount: 500 },
    summary: 'One address tries the passwords of many accounts.',
  },
  {
    // Each address tries once or twice and stays below everything else: only the sum shows it. A floor, and a share of
    // the accounts that get in, since people mistype more where there are more of them. Nobody is banned for a sum.
    name: 'distributed-spraying',
    points: ['AE1', 'STE2'],
    event: 'attack_detected',
    level: 'critical',
    signals: ['login-failed'],
    counts: 'accounts',
    by: 'everybody',
    thresholdCount: 40,
    windowMs: hourMs,
    quietMs: hourMs,
    responses: ['alert', 'slow-down'],
    allowance: { signals: logins, eachPercent: 30, mostCount: 20_000 },
    valueCount: 20_000,
    summary: 'Log-ins fail on unusually many accounts, from wherever.',
  },
  {
    // A list of stolen pairs goes through the addresses of one hoster.
    name: 'credential-stuffing',
    points: ['AE1', 'AE3'],
    event: 'attack_detected',
    level: 'critical',
    signals: ['login-failed'],
    counts: 'accounts',
    by: 'network',
    thresholdCount: 25,
    windowMs: hourMs,
    quietMs: hourMs,
    responses: ['alert', 'slow-down'],
    escalation: { thresholdCount: 100, responses: ['alert', 'ban-address'] },
    allowance: { signals: logins, eachPercent: 60, mostCount: 500 },
    summary: 'One network tries the passwords of many accounts.',
  },
  {
    // A refresh token that was used twice has been copied. There is no honest second use: see docs/guide/tokens.md.
    name: 'token-reuse',
    points: ['SE4'],
    event: 'attack_detected',
    level: 'critical',
    signals: ['token-reused'],
    counts: 'signals',
    by: 'session',
    thresholdCount: 1,
    windowMs: hourMs,
    quietMs: hourMs,
    responses: ['alert', 'revoke-sessions'],
    summary: 'A refresh token was used a second time.',
  },
  {
    // One session at two places with two kinds of browser. A phone that changes its network keeps its browser, and a
    // browser that updates keeps its kind. Its owner gives the password once more; a thief cannot.
    name: 'session-moved',
    points: ['SE5', 'SE6'],
    event: 'authn_impossible_travel',
    level: 'critical',
    signals: ['session-moved'],
    counts: 'signals',
    by: 'session',
    thresholdCount: 1,
    windowMs: hourMs,
    quietMs: hourMs,
    responses: ['alert', 'step-up'],
    summary: 'A session is used from another network with another kind of browser.',
  },
] as const satisfies readonly Detector[]

const objects = [
  {
    // Stale links and caches ask for a handful of things that are gone. One that asks for forty goes through ids.
    name: 'object-enumeration',
    points: ['ACE1', 'ACE2'],
    event: 'malicious_direct_reference',
    level: 'warn',
    signals: ['object-missed'],
    counts: 'ids',
    by: 'account',
    thresholdCount: 40,
    windowMs: hourMs,
    quietMs: hourMs,
    responses: ['alert', 'step-up'],
    escalation: { thresholdCount: 200, responses: ['alert', 'lock-account'] },
    summary: 'An account asks for many objects that it has not got.',
  },
  {
    // The database says that these are there and somebody else's: a shared link or two is honest, eight are not.
    name: 'foreign-objects',
    points: ['ACE1', 'ACE2'],
    event: 'malicious_direct_reference',
    level: 'critical',
    signals: ['object-foreign'],
    counts: 'ids',
    by: 'account',
    thresholdCount: 8,
    windowMs: hourMs,
    quietMs: hourMs,
    responses: ['alert', 'step-up'],
    escalation: { thresholdCount: 60, responses: ['alert', 'lock-account'] },
    summary: 'An account asks for many objects of others.',
  },
  {
    // As above, without an account: higher, because many people may be behind an address.
    name: 'object-enumeration-address',
    points: ['ACE1'],
    event: 'malicious_direct_reference',
    level: 'warn',
    signals: ['object-missed-by-stranger'],
    counts: 'ids',
    by: 'address',
    thresholdCount: 60,
    windowMs: hourMs,
    quietMs: hourMs,
    responses: ['alert', 'slow-down'],
    escalation: { thresholdCount: 300, responses: ['alert', 'ban-address'] },
    summary: 'A stranger asks for many objects that are not there.',
  },
  {
    // Dead links are the same few for everybody. Only different paths count, and crawlers have some dozens of old ones.
    name: 'forced-browsing',
    points: ['ACE3'],
    event: 'malicious_excess_404',
    level: 'warn',
    signals: ['path-missed'],
    counts: 'routes',
    by: 'address',
    thresholdCount: 40,
    windowMs: hourMs,
    quietMs: hourMs,
    responses: ['alert', 'slow-down'],
    escalation: { thresholdCount: 150, responses: ['alert', 'ban-address'] },
    summary: 'An address asks for many paths that do not exist.',
  },
] as const satisfies readonly Detector[]

const tools = [
  {
    // It says its own name. Yours belongs into `trustedScanners`.
    name: 'scanner',
    points: ['UT1', 'RP2'],
    event: 'malicious_attack_tool',
    level: 'critical',
    signals: ['scanner-agent'],
    counts: 'signals',
    by: 'address',
    thresholdCount: 1,
    windowMs: hourMs,
    quietMs: hourMs,
    responses: ['alert', 'ban-address'],
    summary: 'A scanner that says its name.',
  },
  {
    // Every address of the internet is asked for /.env each hour; one path is noise, three are a scan.
    name: 'scanner-paths',
    points: ['RP2', 'ACE3'],
    event: 'malicious_attack_tool',
    level: 'warn',
    signals: ['scanner-path'],
    counts: 'routes',
    by: 'address',
    thresholdCount: 3,
    windowMs: hourMs,
    quietMs: hourMs,
    responses: ['alert', 'ban-address'],
    summary: 'An address asks for files that only scanners look for.',
  },
  {
    // No search text looks like this.
    name: 'sql-injection',
    points: ['CIE1'],
    event: 'malicious_sqli',
    level: 'critical',
    signals: ['sql-evident'],
    counts: 'signals',
    by: 'address',
    thresholdCount: 1,
    windowMs: hourMs,
    quietMs: hourMs,
    responses: ['alert', 'slow-down'],
    escalation: { thresholdCount: 5, responses: ['alert', 'ban-address'] },
    summary: 'An attempt at SQL injection.',
  },
  {
    // A sentence can look like this once: only different ones, again and again, are a probe. Many people behind one
    // address write more of them.
    name: 'sql-probing',
    points: ['CIE1'],
    event: 'malicious_sqli',
    level: 'warn',
    signals: ['sql-likely'],
    counts: 'ids',
    by: 'address',
    thresholdCount: 8,
    windowMs: hourMs,
    quietMs: hourMs,
    responses: ['alert', 'slow-down'],
    allowance: { signals: logins, eachPercent: 5, mostCount: 500 },
    summary: 'Repeated input that looks like SQL.',
  },
  {
    // Traversal, null bytes, line breaks, scripts, templates, JNDI, shells, double encoding.
    name: 'injection',
    points: ['IE1', 'CIE3', 'CIE4', 'EE1', 'IE3'],
    event: 'attack_detected',
    level: 'critical',
    signals: ['injection-evident'],
    counts: 'signals',
    by: 'address',
    thresholdCount: 1,
    windowMs: hourMs,
    quietMs: hourMs,
    responses: ['alert', 'slow-down'],
    escalation: { thresholdCount: 5, responses: ['alert', 'ban-address'] },
    summary: 'An attempt to inject a script, a path or a command.',
  },
  {
    name: 'injection-probing',
    points: ['IE1', 'EE1', 'IE3'],
    event: 'attack_detected',
    level: 'warn',
    signals: ['injection-likely'],
    counts: 'ids',
    by: 'address',
    thresholdCount: 8,
    windowMs: hourMs,
    quietMs: hourMs,
    responses: ['alert', 'slow-down'],
    allowance: { signals: logins, eachPercent: 5, mostCount: 500 },
    summary: 'Repeated input that looks like a script, a path or a command.',
  },
] as const satisfies readonly Detector[]

const requests = [
  {
    // A client that was built for another version makes a few; whoever tries methods makes more.
    name: 'unsupported-methods',
    points: ['RE1', 'RE2', 'RE3', 'RE4'],
    event: 'attack_detected',
    level: 'warn',
    signals: ['method-refused'],
    counts: 'signals',
    by: 'address',
    thresholdCount: 20,
    windowMs: hourMs,
    quietMs: hourMs,
    responses: ['alert', 'slow-down'],
    summary: 'An address tries methods that are not offered.',
  },
  {
    // The requests come from the browsers of those whom another site abuses, so nothing is done to them. One browser
    // with a strange extension is no attack: five addresses are.
    name: 'cross-site-requests',
    points: ['IE4', 'RP3'],
    event: 'malicious_csrf',
    level: 'warn',
    signals: ['cross-site-refused'],
    counts: 'addresses',
    by: 'everybody',
    thresholdCount: 5,
    windowMs: hourMs,
    quietMs: hourMs,
    responses: ['alert'],
    summary: 'Another site makes browsers of users send requests.',
  },
  {
    name: 'foreign-origins',
    points: ['RP3'],
    event: 'malicious_cors',
    level: 'warn',
    signals: ['origin-refused'],
    counts: 'addresses',
    by: 'everybody',
    thresholdCount: 10,
    windowMs: hourMs,
    quietMs: hourMs,
    responses: ['alert'],
    summary: 'A site without permission asks for it from many browsers.',
  },
  {
    // Forms show what they want: people are refused a handful of times. Fuzzers are refused all the time.
    name: 'input-fuzzing',
    points: ['RE5', 'RE6', 'RE7', 'RE8', 'IE2'],
    event: 'input_validation_discrete_fail',
    level: 'warn',
    signals: ['input-refused'],
    counts: 'signals',
    by: 'account',
    thresholdCount: 60,
    windowMs: hourMs,
    quietMs: hourMs,
    responses: ['alert', 'slow-down'],
    summary: 'An account sends malformed input again and again.',
  },
  {
    name: 'input-fuzzing-address',
    points: ['RE5', 'RE6', 'RE7', 'RE8', 'IE2'],
    event: 'input_validation_discrete_fail',
    level: 'warn',
    signals: ['input-refused-of-stranger'],
    counts: 'signals',
    by: 'address',
    thresholdCount: 60,
    windowMs: hourMs,
    quietMs: hourMs,
    responses: ['alert', 'slow-down'],
    // People register and log in where others do.
    allowance: { signals: logins, eachPercent: 50, mostCount: 500 },
    summary: 'A stranger sends malformed input again and again.',
  },
  {
    // An honest client that loops is refused every few seconds. It is slowed down like any other, but not banned.
    name: 'excess-refusals',
    points: ['RE5', 'UT2', 'UT3'],
    event: 'attack_detected',
    level: 'warn',
    signals: ['request-refused'],
    counts: 'signals',
    by: 'account',
    thresholdCount: 300,
    windowMs: 10 * minuteMs,
    quietMs: hourMs,
    responses: ['alert', 'slow-down'],
    summary: 'An account is refused very often.',
  },
  {
    name: 'excess-refusals-address',
    points: ['RE5', 'UT2', 'UT3'],
    event: 'attack_detected',
    level: 'warn',
    signals: ['request-refused-of-stranger'],
    counts: 'signals',
    by: 'address',
    thresholdCount: 300,
    windowMs: 10 * minuteMs,
    quietMs: hourMs,
    responses: ['alert', 'slow-down'],
    summary: 'An address is refused very often.',
  },
  {
    // The scanner of uploads has found it. Somebody with an infected file is a victim: told, not punished.
    name: 'malware-upload',
    points: ['FIO1', 'IE3'],
    event: 'attack_detected',
    level: 'critical',
    signals: ['malware-uploaded'],
    counts: 'signals',
    by: 'account',
    thresholdCount: 1,
    windowMs: dayMs,
    quietMs: hourMs,
    responses: ['alert'],
    escalation: { thresholdCount: 5, responses: ['alert', 'step-up', 'slow-down'] },
    summary: 'An upload was refused because of what is in it.',
  },
] as const satisfies readonly Detector[]

const traps = [
  {
    // Nobody has a reason to use these, so once is enough.
    name: 'honeytoken',
    points: ['HT1', 'HT2', 'HT3'],
    event: 'attack_detected',
    level: 'critical',
    signals: ['honeytoken-touched'],
    counts: 'signals',
    by: 'address',
    thresholdCount: 1,
    windowMs: dayMs,
    quietMs: hourMs,
    responses: ['alert', 'ban-address'],
    summary: 'A honeytoken was touched.',
  },
  {
    // Off until there are working hours.
    name: 'privileges-off-hours',
    points: ['UT1'],
    event: 'attack_detected',
    level: 'warn',
    signals: ['privileges-off-hours'],
    counts: 'signals',
    by: 'account',
    thresholdCount: 1,
    windowMs: hourMs,
    quietMs: hourMs,
    responses: ['alert'],
    summary: 'Privileges were changed outside of working hours.',
  },
  {
    // What is much depends on the site: set it to three times your busiest ten minutes.
    name: 'many-logins',
    points: ['STE2'],
    event: 'attack_detected',
    level: 'warn',
    signals: ['login-succeeded', 'login-failed'],
    counts: 'signals',
    by: 'everybody',
    thresholdCount: 3_000,
    windowMs: 10 * minuteMs,
    quietMs: hourMs,
    responses: ['alert'],
    summary: 'Unusually many log-ins across the site.',
  },
  {
    name: 'many-logouts',
    points: ['STE1'],
    event: 'attack_detected',
    level: 'warn',
    signals: ['session-ended'],
    counts: 'signals',
    by: 'everybody',
    thresholdCount: 1_000,
    windowMs: 10 * minuteMs,
    quietMs: hourMs,
    responses: ['alert'],
    summary: 'Unusually many log-outs across the site.',
  },
] as const satisfies readonly Detector[]

const table = [...credentials, ...objects, ...tools, ...requests, ...traps] as const

/** The name of a detector. */
export type DetectorName = (typeof table)[number]['name']

/**
 * The detectors, with their defaults. The table of docs/guide/detection.md is made from it.
 *
 * @see OWASP AppSensor Guide 2.0, part VI; OWASP ASVS 5.0 §16.3.3, §6.3.5
 */
export const detectors: readonly Detector[] = table

/** Whether there is a detector of that name. */
export function isDetectorName(name: string): name is DetectorName {
  return table.some((detector) => detector.name === name)
}
