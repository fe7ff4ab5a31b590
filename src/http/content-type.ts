// The whole field and nothing but it: four advisories of one framework (CVE-2025-32442 and its successors) came
// from a parser and a validator that read the same content type differently.
const jsonType = /^application\/json(?:[ \t]*;[ \t]*charset=(?:utf-8|"utf-8"))?[ \t]*$/i

/** True for `application/json`, with or without `charset=utf-8`; no other parameter and no other type. */
export function isJsonType(contentType: string | undefined): boolean {
  return contentType !== undefined && jsonType.test(contentType)
}

/** True when a body comes as it is, without compression: a compressed body has no size until it is opened. */
export function isPlainEncoding(contentEncoding: string | undefined): boolean {
  return contentEncoding === undefined || contentEncoding.trim().toLowerCase() === 'identity'
}
