/**
 * The folders of `src` from the bottom up. A folder imports only from folders that stand before it, so there can be no
 * cycle between folders. `index.ts` is the door of the package itself.
 */
export const layers: readonly string[] = [
  'base',
  'errors',
  'events',
  'crypto',
  'settings',
  'schema',
  'data',
  'keys',
  'audit',
  'idempotency',
  'orm',
  'prisma',
  'typeorm',
  'route',
  'observe',
  'limits',
  'openapi',
  'http',
  'metrics',
  'detection',
  'identity',
  'single-use',
  'passwords',
  'mail',
  'alerts',
  'tokens',
  'attempts',
  'bans',
  'responses',
  'sessions',
  'users',
  'operations',
  'account-pages',
  'workers',
  'app',
  'index.ts',
  'cli',
]

/**
 * Folders outside the layers. `attack` looks at a server from outside: were it to share code with the server, both could
 * hold the same mistaken belief.
 */
export const apart: Readonly<
  Record<string, { readonly imports: readonly string[]; readonly importedBy: readonly string[] }>
> = {
  attack: { imports: ['base'], importedBy: ['cli'] },
}

/** A folder is imported through its `index.ts`, or through one of these files of shared types and pure rules. */
export const contracts: ReadonlySet<string> = new Set([
  'base/mistake.ts',
  'audit/trail.ts',
  'http/observed.ts',
  'schema/standard.ts',
  'data/resource.ts',
  'data/scope.ts',
  'route/access.ts',
  'route/limit-class.ts',
  'route/limit-faults.ts',
  'route/plan.ts',
  'limits/limit.ts',
])

/** Modules that only some files may import. */
export const reserved: readonly {
  readonly module: RegExp
  readonly allowed: (path: string) => boolean
  readonly where: string
}[] = [
  {
    module: /^(node:)?crypto$/,
    allowed: (path) => path.startsWith('src/crypto/'),
    where: 'src/crypto',
  },
  {
    module: /^(fastify|@fastify\/.*|fastify-plugin)$/,
    allowed: (path) => /^src\/(http|app)\//.test(path) || /\/(plugin|routes)\.ts$/.test(path),
    where: 'src/http, src/app and files named plugin.ts or routes.ts',
  },
  {
    module: /^@node-rs\/.*$/,
    allowed: (path) => path.startsWith('src/crypto/'),
    where: 'src/crypto',
  },
  {
    module: /^(nodemailer|@types\/nodemailer)$/,
    allowed: (path) => path.startsWith('src/mail/'),
    where: 'src/mail',
  },
  {
    module: /^@redis\/.*$/,
    allowed: (path) => path.startsWith('src/limits/redis/'),
    where: 'src/limits/redis',
  },
  {
    module: /^(typeorm|@prisma\/.*|pg|@types\/pg)$/,
    allowed: (path) => /^src\/(typeorm|prisma|data\/postgres)\//.test(path),
    where: 'src/typeorm, src/prisma and src/data/postgres',
  },
]
