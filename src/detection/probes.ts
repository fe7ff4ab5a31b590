import type { SignalName } from './signal.ts'

/** A kind of attack that shows in the target of a request. */
interface Probe {
  readonly kind: 'sql' | 'injection'
  /** Whether it has no honest reading. What has one must repeat before it counts. */
  readonly isEvident: boolean
  readonly pattern: RegExp
}

/** What was found in a target. */
export interface FoundProbe {
  readonly signal: SignalName
  /** The part of the target, decoded. To be hashed only. */
  readonly part: string
}

const evident = (kind: Probe['kind'], pattern: RegExp): Probe => ({ kind, isEvident: true, pattern })
const likely = (kind: Probe['kind'], pattern: RegExp): Probe => ({ kind, isEvident: false, pattern })

// Every repetition has a bound and no two stand side by side for the same characters, so each is linear in the text.
// They look for structure, a quote that closes and a condition behind it, since words alone are in every search.
const probes: readonly Probe[] = [
  // ' or '1'='1 and ") and (5=5: the same on both sides is no sentence. "rock 'n' roll or blues" has nothing to equal.
  evident(
    'sql',
    /['"]\s{0,4}\){0,4}\s{0,4}(?:or|and|\|\||&&)\s{0,4}\({0,4}\s{0,4}['"]?(\w{1,20})['"]?\s{0,4}\){0,4}\s{0,4}(?:=|like\s)\s{0,4}\({0,4}['"]?\1\b/i,
  ),
  evident('sql', /['"]\s{0,4}\){0,4}\s{0,4}(?:or|and)\s{1,4}\({0,4}(?:''|"")\s{0,4}=/i),
  evident('sql', /['")]\s{0,4}(?:or|and)\s{1,4}(?:true|false)\s{0,4}(?:--|#|\/\*)/i),
  // Without a quote, "or 1=1" alone could be about SQL; with a comment behind it, it is SQL.
  evident('sql', /\b(?:or|and|having)\s{1,4}(\d{1,9})\s{0,4}=\s{0,4}\1\s{0,4}(?:--|#|\/\*|;)/i),
  evident(
    'sql',
    /\bunion\b[\s/*]{1,9}(?:all[\s/*]{1,9})?select\b[\s/*]{1,9}(?:null\b|\d|@@|\*|['"]|char\(|concat|\w{1,30}\s{0,4},)/i,
  ),
  evident('sql', /['"]\s{0,4}union\s{1,4}(?:all\s{1,4})?select\s{0,4}(?:$|[^a-z\s])/i),
  evident('sql', /\bdeclare\s{1,4}@\w{1,30}\s{1,4}(?:n?varchar|int)\b/i),
  evident('sql', /['"]\s{0,4};\s{0,4}(?:drop|alter|truncate)\s{1,4}(?:table|database)\b/i),
  evident(
    'sql',
    /['"]\s{0,4};\s{0,4}(?:delete\s{1,4}from|insert\s{1,4}into|update\s{1,4}\w{1,40}\s{1,4}set)\b/i,
  ),
  // ' and sleep(5), 1 or pg_sleep(5), '||dbms_pipe…
  evident(
    'sql',
    /['")\d]\s{0,4}(?:and|or|;|\|\|)\s{0,4}\(?(?:select\s{1,4})?(?:\w{1,30}\s{0,4}[=<>]\s{0,4})?(?:sleep\(\d|pg_sleep\(|benchmark\(|extractvalue\(|updatexml\(|load_file\(|dbms_pipe\.receive_message\()/i,
  ),
  evident('sql', /\bwaitfor\s{1,4}delay\s{1,4}['"]\d/i),
  evident('sql', /\bexec(?:ute)?\s{1,4}(?:master\.{1,2})?xp_cmdshell\b/i),
  likely('sql', /['")]\s{0,4}(?:or|and)\s{1,4}['"]?\w{1,20}['"]?\s{0,4}[=<>]/i),
  likely('sql', /^\W{0,4}\d{1,9}\s{1,4}(?:or|and)\s{1,4}\w{1,9}\s{0,4}[=<>]\s{0,4}\w/i),
  likely('sql', /['")]\s{0,4}(?:order|group)\s{1,4}by\s{1,4}\d{1,3}\b/i),
  likely('sql', /['")]\s{0,4}(?:--|#|\/\*)/),
  likely('sql', /\bselect\s[^;]{1,80}\sfrom\s{1,4}(?:information_schema|pg_catalog|sqlite_master|sys)\b/i),
  likely('sql', /\b(?:pg_sleep|xp_cmdshell|extractvalue|updatexml|load_file)\s{0,2}\(/i),
  likely('sql', /['"]\s{0,4}\){0,4}\s{0,4}(?:or|and)\s{1,4}\({0,4}(?:''|""|exists\b|select\b|true\b|not\s)/i),
  likely(
    'sql',
    /['"]\s{0,4}\){0,4}\s{0,4}(?:or|and)\s{1,4}[\w.]{1,40}\s{1,4}(?:is\s{1,4}(?:not\s{1,4})?null\b|like\s{1,4}['"]|in\s{0,4}\(|between\s{1,4}\d)/i,
  ),
  likely('sql', /\b(?:or|and|having)\s{1,4}\(?['"]?(\w{1,20})['"]?\s{0,4}=\s{0,4}\(?['"]?\1\b/i),
  likely('sql', /\bor\s{1,4}true\s{0,4}--/i),
  likely('sql', /['")]\s{0,4}\(?select\s|['"]\s{0,4}\|\|\s{0,4}\w/i),
  likely('sql', /;\s{0,4}(?:exec(?:ute)?|declare|select|shutdown)\b[\s(*]/i),
  likely('sql', /^['"][-&^*+ ]['"]$/),
  likely('sql', /\bselect\b[^;]{0,40}\bsleep\(|;\s{0,4}(?:drop|truncate)\s{1,4}table\b/i),

  // An element that runs something. To write about <script> is honest, to load one is not.
  evident('injection', /<script\b[^>]{0,80}(?:src\s{0,2}=|>[^<]{0,80}(?:\(|`|<\/script))/i),
  evident(
    'injection',
    /<\w{1,20}[\s/][^>]{0,120}\bon(?:error|load|click|mouse\w{2,5}|focus|toggle|begin|start|animation\w{3,9})\s{0,4}=/i,
  ),
  evident(
    'injection',
    /javascript:[\s/*]{0,9}(?:(?:alert|eval|prompt|confirm|fetch)[(`]|document\.(?:cookie|location))/i,
  ),
  likely('injection', /<(?:script|iframe|object|embed|svg|math)\b/i),
  likely('injection', /javascript:/i),

  // Up by four, or up and to a file that one goes there for. Programmers import from three above.
  evident('injection', /(?:\.\.[/\\]){4}/),
  evident(
    'injection',
    /\.\.[/\\][^\s]{0,80}(?:etc[/\\]passwd|etc[/\\]shadow|win\.ini|boot\.ini|web-inf|\.ssh[/\\]|proc[/\\]self|\.env\b)/i,
  ),
  evident('injection', /^(?:\/etc\/(?:passwd|shadow)|\/proc\/self\/)/i),
  likely('injection', /\.\.[/\\]\.\./),
  evident('injection', /\0/),
  // A header of a reply in a value: response splitting. A text of several lines is honest.
  evident(
    'injection',
    /[\r\n]\s{0,4}(?:set-cookie|content-length|content-type|transfer-encoding)\s{0,2}:\s{0,4}[\w/;=:-]{0,40}(?:=|text\/|\d)/i,
  ),
  // {{7*7}}, ${7*7}, <%= 7*7 %>, and the ways out of a template.
  evident('injection', /(?:\{\{|\$\{|<%=?|#\{|\*\{)\s{0,4}['"]?\d{1,9}['"]?\s{0,2}\*\s{0,2}['"]?\d/),
  evident(
    'injection',
    /(?:\{\{|\$\{|<%=?|#\{|\*\{)[^{}]{0,40}(?:__class__|__globals__|constructor\s{0,2}[.([]|getruntime|forname|t\(java|mainmodule)/i,
  ),
  evident('injection', /\$\{\s{0,4}(?:jndi\s{0,2}:|\$\{)/i),
  likely('injection', /\$\{(?:env|sys|lower|upper|java|::-)/i),
  evident(
    'injection',
    /(?:[;|&`]|\$\()\s{0,4}(?:cat|less|head|tail|type)\s{1,4}[\w/.\\-]{0,40}(?:etc\/|\.env\b|\.ini\b)/i,
  ),
  evident(
    'injection',
    /(?:[;|&`]|\$\()\s{0,4}(?:wget|curl|nc|ncat|nslookup|ping|powershell|bash|sh)\s{1,4}(?:-\w|https?:|\/|\d{1,3}\.\d)/i,
  ),
  evident('injection', /(?:[;|&`]|\$\()\s{0,4}whoami\s{0,4}(?:[;|&`)#]|$)/i),
  likely('injection', /(?:[;|&`]|\$\()\s{0,4}(?:sleep\s{1,4}\d{1,4}|id)\s{0,4}(?:[;|&`)#]|$)/i),
  // The address where clouds give out credentials, and schemes with which nobody means a page.
  evident('injection', /169\.254\.169\.254\/|metadata\.google\.internal|^(?:gopher|dict):\/\//i),
  evident('injection', /^file:\/\/\/(?:etc|proc)\//i),
]

// One pass over the target as it came: nothing of the above can be written without one of these.
const suspect = /[%+'"<;|`${(\\:*]|\.\.|=\//
// The same over a part of it, decoded.
const suspectPart =
  /['"<;|`${(\\=>@*#\0\r\n]|--|\.\.|:\/\/|javascript:|\/etc\/|\/proc\/|169\.254|\b(?:union|select|or|and|having|waitfor|exec)\s/i
// A percent sign that is encoded itself, and behind it one of the characters that attacks need: EE1.
const twiceEncoded = /%25(?:00|0[ad]|2[27ef]|3[ce]|5c)/i

const mostParts = 64

/**
 * Looks for probes in a target: in its path, and in each name and value of its query. Bodies are not looked into.
 *
 * @param target As it came, at most 2,048 characters.
 * @returns the strongest that was found
 * @see OWASP AppSensor CIE1, CIE3, CIE4, IE1, EE1
 */
export function probeOf(target: string): FoundProbe | undefined {
  if (!suspect.test(target)) return undefined
  let best: FoundProbe | undefined
  for (const part of partsOf(target)) {
    const found = probeIn(part)
    if (found === undefined) continue
    if (found.signal.endsWith('-evident')) return found
    best ??= found
  }
  if (best === undefined && twiceEncoded.test(target)) return { signal: 'injection-likely', part: target }
  return best
}

function probeIn(given: string): FoundProbe | undefined {
  if (!suspectPart.test(given)) return undefined
  // A comment is a space to a database: un/**/ion is nothing, or/**/1=1 is.
  const part = given.includes('/*') ? given.replace(/\/\*[^*]{0,40}\*\//g, ' ') : given
  let best: FoundProbe | undefined
  for (const { kind, isEvident, pattern } of probes) {
    if (best !== undefined && !isEvident) continue
    if (!pattern.test(part)) continue
    const found: FoundProbe = { signal: `${kind}-${isEvident ? 'evident' : 'likely'}`, part }
    if (isEvident) return found
    best = found
  }
  return best
}

function partsOf(target: string): readonly string[] {
  const query = target.indexOf('?')
  if (query === -1) return [decoded(target)]
  // A limit also on how often it is split: 2,048 characters can be 1,000 parameters.
  const pairs = target.slice(query + 1).split('&', mostParts)
  return [decoded(target.slice(0, query)), ...pairs.flatMap(pairParts)]
}

function pairParts(pair: string): readonly string[] {
  const equals = pair.indexOf('=')
  const [name, value] = equals === -1 ? [pair, ''] : [pair.slice(0, equals), pair.slice(equals + 1)]
  return [decoded(value.replaceAll('+', ' ')), ...(suspect.test(name) ? [decoded(name)] : [])]
}

/** Decodes twice where it was encoded twice: whoever does that wants to get past a look like this one. */
function decoded(text: string): string {
  const once = decodedOnce(text)
  return twiceEncoded.test(text) ? decodedOnce(once) : once
}

function decodedOnce(text: string): string {
  if (!text.includes('%')) return text
  try {
    return decodeURIComponent(text)
  } catch {
    // Not UTF-8, or not percent-encoding: the ASCII of it is what the rules look for.
    return text.replace(/%([0-7][0-9a-f])/gi, (_, hex: string) =>
      String.fromCharCode(Number.parseInt(hex, 16)),
    )
  }
}
