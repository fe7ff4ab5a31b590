import { existsSync, globSync, readFileSync } from 'node:fs'

const candidates = [
  process.env['HOLDFAST_TEST_CHROMIUM'],
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
]

/** Where Chromium is on this machine, or `undefined`. */
export function chromiumPath(): string | undefined {
  return candidates.find((path) => path !== undefined && existsSync(path))
}

/** The test files that start Chromium. */
export function filesThatNeedChromium(): string[] {
  const files = globSync(['src/**/*.test.ts', 'test/**/*.test.ts'])
  return files.filter((file) => /kit\/browser\.ts'/.test(readFileSync(file, 'utf8')))
}
