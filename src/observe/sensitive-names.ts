// Matched anywhere in the name once case and separators are gone: `x-api-key`, `API_KEY` and `apiKey` are one name.
const longNames: readonly string[] = [
  'password',
  'passwd',
  'passphrase',
  'secret',
  'token',
  'authorization',
  'cookie',
  'apikey',
  'privatekey',
  'accesskey',
  'encryptionkey',
  'signingkey',
  'credential',
  'recoverycode',
  'verificationcode',
  'cardnumber',
  'securitycode',
  'sessionid',
]

// Too short to be searched inside other words (`pin` stands in `mapping`), so they must be a whole word of the name.
const shortNames: ReadonlySet<string> = new Set([
  'auth',
  'csc',
  'cvc',
  'cvv',
  'iban',
  'jwt',
  'otp',
  'pan',
  'pepper',
  'pin',
  'pwd',
  'ssn',
  'totp',
])

// What a request carries besides its path never reaches the log, whatever it holds (ASVS 16.2.5).
const requestParts: ReadonlySet<string> = new Set([
  'body',
  'headers',
  'query',
  'querystring',
  'rawbody',
  'rawheaders',
  'rawpacket',
  'searchparams',
])

/** Why a field is kept out of the log; `undefined` when its name is harmless. */
export type NameVerdict = 'sensitive' | 'request-part' | undefined

// Keeps 1,000 names at most: names can come from outside, so the map must not grow with them.
const verdicts = new Map<string, NameVerdict>()
const maxVerdictCount = 1_000

/** Judges a field by its name, whatever its case and separators. */
export function verdictOf(name: string): NameVerdict {
  const known = verdicts.get(name)
  if (known !== undefined || verdicts.has(name)) return known
  const verdict = judge(name)
  if (verdicts.size < maxVerdictCount) verdicts.set(name, verdict)
  return verdict
}

function judge(name: string): NameVerdict {
  const words = name
    .slice(0, 200)
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^a-z0-9]+/)
  const joined = words.join('')
  if (requestParts.has(joined)) return 'request-part'
  if (longNames.some((part) => joined.includes(part))) return 'sensitive'
  return words.some((word) => shortNames.has(word)) ? 'sensitive' : undefined
}
