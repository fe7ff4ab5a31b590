import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript-language-service'
import { assert } from '../../src/base/index.ts'

/** The folder of the checkout. */
export const rootDir: string = fileURLToPath(new URL('../../', import.meta.url)).replace(/[\\/]$/, '')

/** The file that an application imports. */
export const publicDoor: string = join(rootDir, 'src/index.ts')

/** The compiler options of this repository. */
export function compilerOptions(): ts.CompilerOptions {
  const path = join(rootDir, 'tsconfig.json')
  const { config, error } = ts.readConfigFile(path, ts.sys.readFile)
  assert(error === undefined, 'tsconfig.json can be read')
  return ts.convertCompilerOptionsFromJson(config.compilerOptions, rootDir).options
}

/**
 * A language service over the checkout and files that exist only here, so that an imagined application resolves
 * `holdfast` as a real one does and nothing is written to disk.
 *
 * @param imagined Texts by path from the root of the repository.
 */
export function languageService(imagined: Readonly<Record<string, string>>): ts.LanguageService {
  const texts = new Map(Object.entries(imagined).map(([path, text]) => [join(rootDir, path), text]))
  return ts.createLanguageService({
    getCompilationSettings: compilerOptions,
    getScriptFileNames: () => [publicDoor, ...texts.keys()],
    getScriptVersion: () => '1',
    getScriptSnapshot: (path) => {
      const text = texts.get(path) ?? ts.sys.readFile(path)
      return text === undefined ? undefined : ts.ScriptSnapshot.fromString(text)
    },
    getCurrentDirectory: () => rootDir,
    getDefaultLibFileName: ts.getDefaultLibFilePath,
    fileExists: (path) => texts.has(path) || ts.sys.fileExists(path),
    readFile: (path) => texts.get(path) ?? ts.sys.readFile(path),
    directoryExists: ts.sys.directoryExists,
    getDirectories: ts.sys.getDirectories,
    ...(ts.sys.realpath === undefined ? {} : { realpath: ts.sys.realpath }),
  })
}

/** The program behind a language service. */
export function programOf(service: ts.LanguageService): ts.Program {
  const program = service.getProgram()
  assert(program !== undefined, 'the language service has a program')
  return program
}
