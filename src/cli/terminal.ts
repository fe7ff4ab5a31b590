import { styleText } from 'node:util'

/** A way to set off a word. */
export type Emphasis = 'bold' | 'dim' | 'yellow' | 'red' | 'green'

/** Where the commands write to. */
export interface Terminal {
  /** Results: standard output. */
  out(text: string): void
  /** What goes wrong: standard error. */
  err(text: string): void
  /** The text in colour; as it is where nobody sees colours (no terminal, NO_COLOR). */
  emphasise(emphasis: Emphasis, text: string): string
}

/** The streams of this process. */
export const processTerminal: Terminal = {
  out: (text) => {
    process.stdout.write(text)
  },
  err: (text) => {
    process.stderr.write(text)
  },
  emphasise: (emphasis, text) => styleText(emphasis, text, { stream: process.stdout }),
}
