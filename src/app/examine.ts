import {
  BootError,
  type ExaminedRoute,
  examineAdoption,
  examineOverlap,
  examineRoute,
  examineVocabulary,
  type LimitClass,
  limitPlan,
  type Plan,
  placeText,
  type Route,
  type RoutePlan,
  recordOf,
  resourcePlan,
  routePlan,
  type Violation,
  type Vocabulary,
} from '../route/index.ts'
import { settingsPlan } from '../settings/index.ts'
import { administratorRole } from '../users/index.ts'
import { isAdoption } from './adopt.ts'
import { builtinLimits } from './builtin.ts'
import type { AppDeclaration } from './declaration.ts'
import { examineAccounts } from './examine-accounts.ts'
import { examineDefence } from './examine-defence.ts'
import { limitOf } from './plugins.ts'

/** An application that declares nothing that would be open by accident. */
export interface ExaminedApp {
  readonly vocabulary: Vocabulary
  readonly routes: readonly PlannedRoute[]
  /** Holdfast's own. */
  readonly own: readonly PlannedRoute[]
}

/** A route that has passed the rules, and its inert form. */
export interface PlannedRoute {
  readonly route: ExaminedRoute
  readonly plan: RoutePlan
}

/**
 * Holds an application against the rules of the boot gate; every violation is found in one go.
 *
 * @throws BootError
 */
export async function examineApp(
  declaration: AppDeclaration,
  ownRoutes: readonly Route[],
): Promise<ExaminedApp> {
  // Holdfast's own limit classes are for its own routes: an application's routes name the application's.
  const { vocabulary } = declaration
  const violations: Violation[] = [
    ...examineVocabulary(vocabulary),
    ...examineAccounts(declaration.accounts),
    ...examineDefence(declaration),
  ]
  const routes: ExaminedRoute[] = []
  for (const [index, candidate] of declaration.routes.entries()) {
    const record = recordOf(candidate)
    if (record === undefined) {
      violations.push(notARoute(index))
      continue
    }
    const examination = examineRoute(record, vocabulary)
    violations.push(...examination.violations)
    if (examination.route !== undefined) routes.push(examination.route)
  }
  const own = examineOwn(ownRoutes, withBuiltin(vocabulary))
  violations.push(...own.violations)
  violations.push(...(await examineOverlap([...routes, ...own.routes])))
  for (const plugin of declaration.plugins ?? []) {
    if (isAdoption(plugin)) violations.push(...examineAdoption(plugin, placeText(plugin.place), vocabulary))
  }
  if (violations.length > 0) throw new BootError(violations)
  return {
    vocabulary: { ...vocabulary, limits: limitsOf(declaration, routes) },
    routes: routes.map((route) => ({ route, plan: routePlan(route, 'application') })),
    own: own.routes.map((route) => ({
      route,
      plan: { ...routePlan(route, 'holdfast'), source: 'holdfast' },
    })),
  }
}

/** Holdfast's own routes pass the same rules; the role of administrators is theirs, whether the application has it or not. */
function examineOwn(
  routes: readonly Route[],
  vocabulary: Vocabulary,
): { readonly violations: readonly Violation[]; readonly routes: readonly ExaminedRoute[] } {
  const roles = [...new Set([...vocabulary.roles, administratorRole])]
  const examinations = routes.flatMap((route) => {
    const record = recordOf(route)
    return record === undefined ? [] : [examineRoute(record, { ...vocabulary, roles })]
  })
  return {
    violations: examinations.flatMap(({ violations }) => violations),
    routes: examinations.flatMap(({ route }) => (route === undefined ? [] : [route])),
  }
}

function withBuiltin(vocabulary: Vocabulary): Vocabulary {
  return { ...vocabulary, limits: { ...builtinLimits, ...vocabulary.limits } }
}

/** Every limit class by name: Holdfast's own, those of single routes and plugins, and the application's. */
function limitsOf(
  { vocabulary, plugins = [] }: AppDeclaration,
  routes: readonly ExaminedRoute[],
): Readonly<Record<string, LimitClass>> {
  const adopted = plugins.filter(isAdoption).map((plugin) => limitOf(plugin, vocabulary))
  const used = [...routes.map(({ limit }) => limit), ...adopted.filter((limit) => limit !== undefined)]
  return {
    ...withBuiltin(vocabulary).limits,
    ...Object.fromEntries(used.map(({ name, limit }) => [name, limit])),
  }
}

function notARoute(index: number): Violation {
  return {
    rule: 'route.not-a-route',
    subject: `routes[${index}]`,
    source: 'createApp()',
    fault: 'it was not made by route()',
    fix: `route('GET /api/things', { access: …, output: …, limit: … }, handler)`,
  }
}

/** The inert form of an application. */
export function planOf(
  declaration: AppDeclaration,
  vocabulary: Vocabulary,
  routes: readonly RoutePlan[],
): Plan {
  return {
    title: declaration.title,
    version: declaration.version ?? '0.0.0',
    // In the order of their addresses, whatever order they were imported in.
    routes: [...routes].sort(byPlace),
    resources: vocabulary.resources.map(resourcePlan),
    limits: Object.fromEntries(
      Object.entries(vocabulary.limits).map(([name, limit]) => [name, limitPlan(limit)]),
    ),
    roles: vocabulary.roles,
    settings: settingsPlan(),
  }
}

const methodOrder = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE']

// By code units: the rules of a language would take eight milliseconds to load.
function byPlace(one: RoutePlan, other: RoutePlan): number {
  const left = placeOf(one)
  const right = placeOf(other)
  return left < right ? -1 : left > right ? 1 : 0
}

function placeOf({ path, method }: RoutePlan): string {
  return `${path} ${methodOrder.indexOf(method)}`
}
