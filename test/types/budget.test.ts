import ts from 'typescript-language-service'
import { describe, expect, it } from 'vitest'
import { assert } from '../../src/base/index.ts'
import { imaginedApplication } from './imagined-application.ts'
import { languageService, programOf, publicDoor, rootDir } from './project.ts'

const path = 'test/types/imagined.ts'
const routeCount = 300

// About half as much again as a route costs today, and half of what the first sketch of this interface cost.
const instantiationCount = 600

const hoverChars = 250

const longerHovers: Readonly<Record<string, number>> = {
  // A type parameter for each part is what lets the compiler name the part that is wrong.
  resource: 600,
  Context: 370,
  words: 265,
  // The list of all codes, and of all events, is what one looks for.
  EventName: 1_000,
  ProblemCode: 1_000,
  // Shown as pino writes its own type.
  Logger: 310,
}

describe('an application in the editor', () => {
  it(`checks ${routeCount} routes within the budget of instantiations`, () => {
    const empty = checked(0)
    const full = checked(routeCount)
    const perRoute = (full.instantiationCount - empty.instantiationCount) / routeCount
    console.info(
      `${routeCount} routes: ${full.instantiationCount} instantiations in ${full.checkMs} ms; ` +
        `without routes ${empty.instantiationCount} in ${empty.checkMs} ms; ${Math.round(perRoute)} a route`,
    )
    expect(full.faults).toEqual([])
    expect(perRoute).toBeLessThanOrEqual(instantiationCount)
  }, 120_000)
})

interface Checked {
  readonly faults: readonly string[]
  readonly instantiationCount: number
  readonly checkMs: number
}

function checked(count: number): Checked {
  const program = programOf(languageService({ [path]: imaginedApplication(count) }))
  const file = program.getSourceFile(`${rootDir}/${path}`)
  const startMs = performance.now()
  const faults = program.getSemanticDiagnostics(file).map(({ messageText }) => textOf(messageText))
  const checkMs = Math.round(performance.now() - startMs)
  return { faults, instantiationCount: program.getInstantiationCount(), checkMs }
}

function textOf(message: string | ts.DiagnosticMessageChain): string {
  return typeof message === 'string' ? message : message.messageText
}

/** What the editor shows for one exported name. */
interface Hover {
  readonly name: string
  readonly text: string
  readonly documented: boolean
}

describe('an exported name in the editor', () => {
  const hovers = hoversOf(languageService({}))
  const lengths = hovers.map(({ text }) => text.length).sort((a, b) => a - b)

  it('has a doc comment', () => {
    expect(hovers.filter(({ documented }) => !documented).map(({ name }) => name)).toEqual([])
  })

  it(`shows at most ${hoverChars} characters, half of them at most 100`, () => {
    const median = lengths[Math.floor(lengths.length / 2)] ?? 0
    console.info(`hovers: ${hovers.length} names, median ${median}, longest ${lengths.at(-1)} characters`)
    expect(hovers.filter(({ name, text }) => text.length > (longerHovers[name] ?? hoverChars))).toEqual([])
    expect(median).toBeLessThanOrEqual(100)
  })
})

function hoversOf(service: ts.LanguageService): readonly Hover[] {
  const program = programOf(service)
  const checker = program.getTypeChecker()
  const door = program.getSourceFile(publicDoor)
  const module = door === undefined ? undefined : checker.getSymbolAtLocation(door)
  assert(module !== undefined, 'src/index.ts is a module')
  return checker.getExportsOfModule(module).map((symbol) => hoverOf(service, checker, symbol))
}

// Asked at the declaration: at an import the editor shows the same with a line about the import.
function hoverOf(service: ts.LanguageService, checker: ts.TypeChecker, symbol: ts.Symbol): Hover {
  const target = symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol
  const declaration = target.declarations?.[0]
  assert(declaration !== undefined, `${symbol.name} is declared somewhere`)
  const name = declaration.getChildren().find((child) => child.getText() === target.name)
  const place = (name ?? declaration).getStart()
  const info = service.getQuickInfoAtPosition(declaration.getSourceFile().fileName, place)
  const text = (info?.displayParts ?? []).map((part) => part.text).join('')
  return { name: symbol.name, text, documented: (info?.documentation ?? []).length > 0 }
}
