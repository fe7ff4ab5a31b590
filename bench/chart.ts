/** A chart of lines over a logarithmic axis. */
export interface LineChart {
  readonly title: string
  /** What the axis along the bottom counts. */
  readonly across: string
  /** What the axis on the left measures. */
  readonly up: string
  readonly lines: readonly ChartLine[]
}

/** One line. */
export interface ChartLine {
  readonly name: string
  readonly points: readonly { readonly x: number; readonly y: number }[]
}

const widthPx = 720
const heightPx = 360
const margin = { topPx: 44, rightPx: 130, bottomPx: 52, leftPx: 62 } as const
const dashes = ['', '7 4', '2 3', '10 3 2 3', '5 2', '1 4'] as const

// One file for a light page and a dark one: the reader's own choice decides. Lines differ in dash and in mark of colour.
const style = `
svg{background:#fff;--ink:#1b1f24;--soft:#d5dae0;--a:#0b62c4;--b:#b3400a;--c:#1a7f37;--d:#7a3fc4;--e:#8a6100;--f:#b0246b}
@media (prefers-color-scheme:dark){svg{background:#0d1117;--ink:#e6edf3;--soft:#3a424c;--a:#6cb6ff;--b:#ffa47a;--c:#6fdd8b;--d:#cfa8ff;--e:#e5c07b;--f:#ff9bce}}
text{font:13px system-ui,sans-serif;fill:var(--ink)}.title{font-weight:600;font-size:15px}
.grid{stroke:var(--soft)}.line{fill:none;stroke-width:2}`

const colours = ['a', 'b', 'c', 'd', 'e', 'f'] as const

/** Writes a chart as SVG, legible on light and on dark, without a script and without anything from elsewhere. */
export function lineChart({ title, across, up, lines }: LineChart): string {
  const points = lines.flatMap((line) => line.points)
  const decades = {
    from: Math.log10(smallest(points.map(({ x }) => x))),
    to: Math.log10(largest(points.map(({ x }) => x))),
  }
  const top = niceTop(largest(points.map(({ y }) => y)))
  const place = {
    x: (value: number): number =>
      margin.leftPx +
      ((Math.log10(value) - decades.from) / Math.max(decades.to - decades.from, 1e-9)) *
        (widthPx - margin.leftPx - margin.rightPx),
    y: (value: number): number =>
      heightPx - margin.bottomPx - (value / top) * (heightPx - margin.topPx - margin.bottomPx),
  }
  const parts = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${widthPx} ${heightPx}" role="img" aria-label="${escaped(title)}">`,
    `<style>${style}\n</style>`,
    `<text class="title" x="${margin.leftPx}" y="22">${escaped(title)}</text>`,
    ...levels(top).map((level) => horizontal(level, place.y(level))),
    ...[...new Set(points.map(({ x }) => x))].map((value) => vertical(value, place.x(value))),
    `<text x="${(widthPx - margin.rightPx + margin.leftPx) / 2}" y="${heightPx - 10}" text-anchor="middle">${escaped(across)}</text>`,
    `<text transform="translate(16 ${heightPx / 2}) rotate(-90)" text-anchor="middle">${escaped(up)}</text>`,
    ...lines.map((line, index) => drawn(line, index, place)),
    ...legend(lines, place),
    '</svg>',
  ]
  return `${parts.join('\n')}\n`
}

interface Place {
  x(value: number): number
  y(value: number): number
}

function drawn({ points }: ChartLine, index: number, place: Place): string {
  const colour = `var(--${colours[index % colours.length]})`
  const corners = points.map(({ x, y }) => `${place.x(x).toFixed(1)},${place.y(y).toFixed(1)}`)
  const dash = dashes[index % dashes.length]
  const marks = corners.map((corner) => {
    const [x, y] = corner.split(',')
    return `<circle cx="${x}" cy="${y}" r="3" style="fill:${colour}"/>`
  })
  return `<polyline class="line" points="${corners.join(' ')}" style="stroke:${colour}"${dash === '' ? '' : ` stroke-dasharray="${dash}"`}/>${marks.join('')}`
}

/** The names at the ends of the lines, moved apart where they would cover each other. */
function legend(lines: readonly ChartLine[], scale: Place): readonly string[] {
  const lineHeightPx = 16
  const ends = lines
    .map((line, index) => ({ name: line.name, index, atPx: scale.y(line.points.at(-1)?.y ?? 0) }))
    .sort((one, other) => one.atPx - other.atPx)
  // Downwards from each other, and where that leaves the chart, upwards from its end.
  const atPx: number[] = []
  for (const end of ends) atPx.push(Math.max(end.atPx, (atPx.at(-1) ?? 0) + lineHeightPx))
  let limitPx: number = heightPx - margin.bottomPx
  for (let place = atPx.length - 1; place >= 0; place -= 1) {
    limitPx = Math.min(atPx[place] ?? 0, limitPx)
    atPx[place] = limitPx
    limitPx -= lineHeightPx
  }
  return ends.map(
    ({ name, index }, place) =>
      `<text x="${widthPx - margin.rightPx + 10}" y="${((atPx[place] ?? 0) + 4).toFixed(1)}" style="fill:var(--${colours[index % colours.length]})">${escaped(name)}</text>`,
  )
}

function horizontal(value: number, yPx: number): string {
  return `<line class="grid" x1="${margin.leftPx}" x2="${widthPx - margin.rightPx}" y1="${yPx.toFixed(1)}" y2="${yPx.toFixed(1)}"/><text x="${margin.leftPx - 8}" y="${(yPx + 4).toFixed(1)}" text-anchor="end">${shortNumber(value)}</text>`
}

function vertical(value: number, xPx: number): string {
  return `<text x="${xPx.toFixed(1)}" y="${heightPx - margin.bottomPx + 18}" text-anchor="middle">${shortNumber(value)}</text>`
}

function levels(top: number): readonly number[] {
  return [0, 1, 2, 3, 4].map((step) => (top * step) / 4)
}

function smallest(values: readonly number[]): number {
  return Math.min(...values.filter((value) => value > 0))
}

function largest(values: readonly number[]): number {
  return Math.max(...values, 1e-9)
}

/** A round number above: 1, 2, 4, 5 or 8 times a power of ten. */
function niceTop(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value))
  return ([1, 2, 4, 5, 8, 10].find((factor) => factor * power >= value * 1.05) ?? 20) * power
}

function shortNumber(value: number): string {
  if (value >= 1e6) return `${Number((value / 1e6).toFixed(2))}M`
  if (value >= 1e4) return `${Number((value / 1e3).toFixed(1))}k`
  return String(Number(value.toFixed(2)))
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;')
}
