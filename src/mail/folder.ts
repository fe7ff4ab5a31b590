import { mkdir, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { newId } from '../base/index.ts'
import type { MailTransport } from './transport.ts'

/**
 * Writes each mail to a file of a folder instead, and its links to the terminal. For development and tests: the files
 * hold tokens, so only their owner may read them.
 *
 * @param dir Made when it is not there.
 * @param print Told one line for each link that holds a token.
 * @see OWASP ASVS 5.0 §14.2.4
 * @example folderTransport('.data/outbox', (line) => process.stdout.write(`${line}\n`))
 */
export function folderTransport(dir: string, print: (line: string) => void): MailTransport {
  return {
    async send(mail) {
      await mkdir(dir, { recursive: true, mode: 0o700 })
      const time = new Date().toISOString().replaceAll(':', '-')
      const path = join(dir, `${time}-${newId()}.json`)
      // Renamed when it is whole: nobody reads half a mail.
      await writeFile(`${path}.part`, `${JSON.stringify(mail, null, 2)}\n`, { mode: 0o600, flag: 'wx' })
      await rename(`${path}.part`, path)
      for (const link of mail.links.filter((one) => one.includes('#token=')))
        print(`${mail.subject}: ${link}`)
    },
    close: () => undefined,
  }
}
