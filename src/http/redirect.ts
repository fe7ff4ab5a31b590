import { assert } from '../base/index.ts'

/**
 * Where a page lives under the public origin. For pages only: an API route never redirects, because a client
 * that followed has sent its credential once in the clear already.
 *
 * @param origin The public origin; the request's Host has no say.
 * @param path An absolute path with its query; one that could leave the origin is replaced by `/`.
 * @see OWASP ASVS 5.0 §3.7.2, §4.1.2
 * @example canonicalLocation(origin, '//evil.example') // 'https://api.example.com/'
 */
export function canonicalLocation(origin: URL, path: string): string {
  // `//evil`, `/\evil` and a tab or line feed in between are all read as another host by some browser.
  const isLocal = /^\/(?![/\\])[^\\]*$/.test(path) && !/[^!-~]/.test(path)
  const url = new URL(isLocal ? path : '/', origin)
  assert(url.origin === origin.origin, 'a checked path stays on its origin')
  return url.href
}
