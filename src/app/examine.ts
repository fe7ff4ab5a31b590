import {
  BootError,
  type ExaminedRoute,
  examineAdoption,
  examineOverlap,
  examineRoute,
  examineVocabulary,
  type Plan,
  placeText,
  type RoutePlan,
  recordOf,
  resourcePlan,
  routePlan,
  type Violation,
  type Vocabulary,
} from '../route/index.ts'
import { settingsPlan } from '../settings/index.ts'
import { isAdoption } from './adopt.ts'
import { builtinLimits } from './builtin.ts'
import type { AppDeclaration } from './declaration.ts'

/** An application that declares nothing that would be open by accident. */
export interface ExaminedApp {
  readonly vocabulary: Vocabulary
  readonly routes: readonly { readonly route: ExaminedRoute; readonly plan: RoutePlan }[]
}

/**
 * Holds an application against the rules of the boot gate; every violation is found in one go.
 *
 * @throws BootError
 */
export async function examineApp(declaration: AppDeclaration): Promise<ExaminedApp> {
  // Holdfast's own limit classes are for its own routes: an application's routes name the application's.
  const { vocabulary } = declaration
  const violations: Violation[] = [...examineVocabulary(vocabulary)]
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
  violations.push(...(await examineOverlap(routes)))
  for (const plugin of declaration.plugins ?? []) {
    if (isAdoption(plugin)) violations.push(...examineAdoption(plugin, placeText(plugin.place), vocabulary))
  }
  if (violations.length > 0) throw new BootError(violations)
  return {
    vocabulary: withBuiltin(vocabulary),
    routes: routes.map((route) => ({ route, plan: routePlan(route, 'application') })),
  }
}

function withBuiltin(vocabulary: Vocabulary): Vocabulary {
  return { ...vocabulary, limits: { ...builtinLimits, ...vocabulary.limits } }
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
    routes: [...routes].sort((one, other) => placeOf(one).localeCompare(placeOf(other), 'en')),
    resources: vocabulary.resources.map(resourcePlan),
    limits: vocabulary.limits,
    roles: vocabulary.roles,
    settings: settingsPlan(),
  }
}

const methodOrder = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE']

function placeOf({ path, method }: RoutePlan): string {
  return `${path} ${methodOrder.indexOf(method)}`
}
