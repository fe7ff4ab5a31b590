import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { folderTransport } from './folder.ts'

const link = 'https://notes.example.com/account/verify-email#token=abc'
const mail = { to: 'ann@example.com', subject: 'Confirm', text: 'T', html: '<p>T</p>', links: [link] }
const never = new AbortController().signal

describe('the folder of mails', () => {
  it('V14.2.4 gets each mail as one whole file that its owner alone may read', async () => {
    const parent = await mkdtemp(join(tmpdir(), 'holdfast-mail-'))
    try {
      const dir = join(parent, 'outbox')
      const lines: string[] = []
      const out = folderTransport(dir, (line) => lines.push(line))
      for (const to of ['ann@example.com', 'bob@example.com']) await out.send({ ...mail, to }, never)
      await out.send(
        { ...mail, to: 'cy@example.com', links: ['https://notes.example.com/account/sign-in'] },
        never,
      )
      out.close()
      const names = (await readdir(dir)).sort()
      expect(names).toHaveLength(3)
      for (const name of names) {
        expect(name).toMatch(/^\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d\.\d{3}Z-[0-9a-f-]{36}\.json$/)
        expect((await stat(join(dir, name))).mode & 0o777).toBe(0o600)
      }
      expect((await stat(dir)).mode & 0o777).toBe(0o700)
      const read = await Promise.all(
        names.map(async (name) => JSON.parse(await readFile(join(dir, name), 'utf8'))),
      )
      expect(read.map(({ to }) => to)).toEqual(['ann@example.com', 'bob@example.com', 'cy@example.com'])
      expect(read[0]).toEqual(mail)
      // Only links that somebody has to follow are printed.
      expect(lines).toEqual([`Confirm: ${link}`, `Confirm: ${link}`])
    } finally {
      await rm(parent, { recursive: true })
    }
  })
})
