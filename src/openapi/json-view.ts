import { type Html, html } from '../base/index.ts'

/** JSON with its parts marked for the style: keys, strings, other values. */
export function jsonView(value: unknown, indent = ''): Html {
  const inner = `${indent}  `
  if (Array.isArray(value)) {
    if (value.length === 0) return html`[]`
    return html`[\n${joined(value.map((item) => html`${inner}${jsonView(item, inner)}`))}\n${indent}]`
  }
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value)
    if (entries.length === 0) return html`{}`
    const lines = entries.map(
      ([key, item]) => html`${inner}<span class="k">${JSON.stringify(key)}</span>: ${jsonView(item, inner)}`,
    )
    return html`{\n${joined(lines)}\n${indent}}`
  }
  const text = JSON.stringify(value) ?? 'null'
  return typeof value === 'string'
    ? html`<span class="s">${text}</span>`
    : html`<span class="v">${text}</span>`
}

function joined(lines: readonly Html[]): Html {
  return html`${lines.map((line, index) => (index === 0 ? line : html`,\n${line}`))}`
}
