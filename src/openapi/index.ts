import type { Plan } from '../route/index.ts'

export function openApiDocument(_plan: Plan, _server: { origin: string }): object {
  return {}
}

export function referencePage(
  _plan: Plan,
  _parts: { origin: string; sha256Base64: (text: string) => string },
): { html: string; csp: string } {
  return { html: '', csp: '' }
}
