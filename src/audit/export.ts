import type { RecordedEvent } from '../events/index.ts'
import { ecsShape } from './export-ecs.ts'
import { ocsfShape } from './export-ocsf.ts'

/** The forms in which events leave. */
export type ExportFormat = 'jsonl' | 'ocsf' | 'ecs'

/** Every form. */
export const exportFormats: readonly ExportFormat[] = ['jsonl', 'ocsf', 'ecs']

/**
 * An event as one line of JSON, without a line break in it.
 *
 * @param version The version of Holdfast, for the forms that name a product.
 * @example exportLine(event, 'ocsf', '1.0.0')
 */
export function exportLine(event: RecordedEvent, format: ExportFormat, version: string): string {
  return JSON.stringify(shapes[format](event, version))
}

const shapes: Readonly<Record<ExportFormat, (event: RecordedEvent, version: string) => object>> = {
  jsonl: plainShape,
  ocsf: ocsfShape,
  ecs: ecsShape,
}

function plainShape({ atMs, ...event }: RecordedEvent): object {
  return { time: new Date(atMs).toISOString(), ...event }
}
