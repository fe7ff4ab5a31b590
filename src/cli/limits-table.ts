import { costText, limitText } from '../openapi/index.ts'
import type { Plan, RoutePlan } from '../route/index.ts'
import { inOrder } from './plan-file.ts'

/** What each endpoint lets through, as a Markdown table for an application's own documents. */
export function limitsTable(plan: Plan): string {
  // Files of pages are many, and all alike.
  const routes = inOrder(plan.routes).filter(({ limit }) => limit !== 'pages')
  const rows = routes.map(
    (route) => `| \`${route.method} ${route.path}\` | ${classText(route)} | ${allowedText(route, plan)} |`,
  )
  return `${['| endpoint | class | lets through |', '| --- | --- | --- |', ...rows].join('\n')}\n`
}

function classText({ limit, method, path }: RoutePlan): string {
  return limit === `${method} ${path}` ? 'its own' : `\`${limit}\``
}

function allowedText({ limit: name, access, cost }: RoutePlan, { limits }: Plan): string {
  const limit = Object.hasOwn(limits, name) ? limits[name] : undefined
  if (limit === undefined) return ''
  const each = costText(cost)
  return `${limitText(limit, access)}${each === undefined ? '' : `; ${each}`}`
}
