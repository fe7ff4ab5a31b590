import { readFileSync, statSync } from 'node:fs'
import { relative, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { inspect } from 'node:util'
import { type Application, isApplication } from './application.ts'
import { ApplicationFault, UsageFault } from './fault.ts'
import { quoted } from './parse-call.ts'
import { reportOf } from './report.ts'

const usualFiles: readonly string[] = ['app.ts', 'app.js', 'src/app.ts', 'src/app.js', 'dist/app.js']

/**
 * Finds and imports the application.
 *
 * @param given The FILE of the command line.
 * @param workingDir Absolute.
 * @throws UsageFault when there is no such file, ApplicationFault when it holds no application.
 */
export async function loadApplication(given: string | undefined, workingDir: string): Promise<Application> {
  const file = findApplication(given, workingDir)
  const module = await importModule(file, workingDir)
  const found: unknown =
    typeof module === 'object' && module !== null ? Reflect.get(module, 'default') : undefined
  if (isApplication(found)) return found
  throw new ApplicationFault(
    `${nameOf(file, workingDir)} is no application: its default export has to be what createApp returns.\n` +
      '    write: export default createApp({ … })\n',
  )
}

function findApplication(given: string | undefined, workingDir: string): string {
  if (given !== undefined) {
    const file = resolve(workingDir, given)
    if (isFile(file)) return file
    throw new UsageFault(`There is no file ${quoted(given)}.`)
  }
  const declared = declaredFile(workingDir)
  if (declared !== undefined) {
    const file = resolve(workingDir, declared)
    if (isFile(file)) return file
    throw new ApplicationFault(
      `package.json names ${quoted(declared)} as holdfast.app, and there is no such file.\n`,
    )
  }
  const usual = usualFiles.map((name) => resolve(workingDir, name)).find(isFile)
  if (usual !== undefined) return usual
  throw new UsageFault(
    `There is no application here: no FILE was given, package.json has no holdfast.app, and there is none of ${usualFiles.join(', ')}.`,
  )
}

function declaredFile(workingDir: string): string | undefined {
  const path = resolve(workingDir, 'package.json')
  if (!isFile(path)) return undefined
  const parsed = parseJson(readFileSync(path, 'utf8'))
  if (parsed === undefined) throw new ApplicationFault('package.json is not valid JSON.\n')
  const app = memberOf(memberOf(parsed, 'holdfast'), 'app')
  if (app === undefined || typeof app === 'string') return app
  throw new ApplicationFault('holdfast.app in package.json has to be the path of a file.\n')
}

async function importModule(file: string, workingDir: string): Promise<unknown> {
  try {
    return await import(pathToFileURL(file).href)
  } catch (error) {
    // A refusal that explains itself needs no stack.
    if (reportOf(error) !== undefined) throw error
    throw new ApplicationFault(`${nameOf(file, workingDir)} cannot be loaded.\n\n${inspect(error)}\n`, error)
  }
}

function nameOf(file: string, workingDir: string): string {
  return relative(workingDir, file) || file
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() === true
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function memberOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? Reflect.get(value, name)
    : undefined
}
