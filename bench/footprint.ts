import { execFileSync } from 'node:child_process'
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { tableText } from './figures.ts'
import { rootDir } from './server-process.ts'

// What one installs to have a backend with accounts, limits, logs, metrics and a database: size on disk, packages, and
// packages that run a script of their own when they are installed. Installs from the registry, into a temporary folder.
//   node --conditions=holdfast-source bench/footprint.ts

const stacks: readonly { readonly name: string; readonly packages: readonly string[] }[] = [
  { name: 'Holdfast', packages: [] },
  {
    name: 'Express with the usual packages',
    packages: [
      ...['express@5', 'helmet', 'cors', 'express-rate-limit', 'express-slow-down', 'jsonwebtoken'],
      ...['express-validator', 'winston', 'prom-client', 'pg', 'better-sqlite3', 'kysely', 'argon2'],
      ...['nodemailer', 'ioredis', 'rate-limit-redis', 'swagger-ui-express'],
    ],
  },
  {
    name: 'Nest on Fastify with the usual packages',
    packages: [
      ...['@nestjs/common', '@nestjs/core', '@nestjs/platform-fastify', '@nestjs/passport', '@nestjs/jwt'],
      ...['@nestjs/throttler', '@nestjs/config', '@nestjs/typeorm', '@nestjs/swagger', '@fastify/helmet'],
      ...['passport', 'passport-jwt', 'passport-local', 'class-validator', 'class-transformer', 'typeorm'],
      ...['pg', 'better-sqlite3', 'argon2', 'nestjs-pino', 'pino-http', 'prom-client', 'nodemailer'],
      ...['ioredis', 'reflect-metadata', 'rxjs'],
    ],
  },
  {
    name: 'better-auth with Kysely and Express',
    packages: [
      ...['better-auth', 'express@5', 'helmet', 'cors', 'pg', 'better-sqlite3', 'kysely', 'zod', 'pino'],
      ...['prom-client', 'nodemailer', 'ioredis'],
    ],
  },
]

interface Footprint {
  readonly name: string
  readonly packageCount: number
  readonly diskBytes: number
  /** Packages that want to run a script when they are installed. */
  readonly scripts: readonly string[]
}

const workDir = mkdtempSync(join(tmpdir(), 'holdfast-footprint-'))
try {
  const footprints = stacks.map(({ name, packages }) => measure(name, packages))
  process.stdout.write(
    tableText([
      ['runtime packages', 'packages', 'on disk', 'install scripts'],
      ...footprints.map(({ name, packageCount, diskBytes, scripts }) => [
        name,
        String(packageCount),
        `${(diskBytes / 2 ** 20).toFixed(1)} MiB`,
        scripts.length === 0 ? 'none' : scripts.join(', '),
      ]),
    ]),
  )
  mkdirSync(join(rootDir, 'bench/results'), { recursive: true })
  const machine = { node: process.version, platform: `${process.platform} ${process.arch}` }
  writeFileSync(
    join(rootDir, 'bench/results/footprint.json'),
    `${JSON.stringify({ machine, footprints }, null, 2)}\n`,
  )
} finally {
  rmSync(workDir, { recursive: true, force: true })
}

function measure(name: string, packages: readonly string[]): Footprint {
  const dir = join(workDir, name.replaceAll(' ', '-'))
  mkdirSync(dir)
  writeFileSync(join(dir, 'package.json'), '{ "private": true }\n')
  // Holdfast as it would come from the registry: packed, so with what is published and nothing else.
  const wanted = packages.length > 0 ? packages : [packed(dir)]
  // Scripts stay off, so that what is measured is what comes from the registry; those that wanted to run are told.
  const flags = ['--omit=dev', '--ignore-scripts', '--no-audit', '--no-fund', '--silent']
  execFileSync('npm', ['install', ...flags, ...wanted], { cwd: dir, stdio: 'inherit' })
  const found = packagesUnder(join(dir, 'node_modules'))
  return {
    name,
    packageCount: found.length,
    diskBytes: bytesUnder(join(dir, 'node_modules')),
    scripts: found.filter(({ hasScript }) => hasScript).map((one) => one.name),
  }
}

function packed(dir: string): string {
  const source = join(dir, 'source')
  // A copy, so that packing builds into it and not beside what somebody works on.
  for (const name of ['src', 'package.json', 'tsconfig.json', 'tsconfig.build.json', 'README.md', 'LICENSE'])
    cpSync(join(rootDir, name), join(source, name), { recursive: true })
  for (const name of ['CHANGELOG.md', 'SECURITY.md']) cpSync(join(rootDir, name), join(source, name))
  const tsc = join(rootDir, 'node_modules/typescript/bin/tsc')
  const types = ['--typeRoots', join(rootDir, 'node_modules/@types')]
  execFileSync('ln', ['-s', join(rootDir, 'node_modules'), join(source, 'node_modules')])
  execFileSync(process.execPath, [tsc, '-p', 'tsconfig.build.json', ...types], {
    cwd: source,
    stdio: 'inherit',
  })
  execFileSync('npm', ['pack', '--ignore-scripts', '--silent'], { cwd: source })
  const archive = readdirSync(source).find((name) => name.endsWith('.tgz'))
  return join(source, archive ?? '')
}

interface InstalledPackage {
  readonly name: string
  readonly hasScript: boolean
}

/** Every installed package, also those inside of others. */
function packagesUnder(modules: string): readonly InstalledPackage[] {
  const found: InstalledPackage[] = []
  const lock: { readonly packages: Readonly<Record<string, { readonly hasInstallScript?: boolean }>> } =
    JSON.parse(readFileSync(join(modules, '.package-lock.json'), 'utf8'))
  for (const [path, { hasInstallScript = false }] of Object.entries(lock.packages))
    if (path !== '') found.push({ name: path.replace(/^.*node_modules\//, ''), hasScript: hasInstallScript })
  return found
}

/** As `du` counts: whole blocks of the disk. */
function bytesUnder(path: string): number {
  return readdirSync(path, { recursive: true, encoding: 'utf8' }).reduce((sum, name) => {
    const { blocks, isFile } = fileAt(join(path, name))
    return isFile ? sum + blocks * 512 : sum
  }, 0)
}

function fileAt(path: string): { readonly blocks: number; readonly isFile: boolean } {
  const stats = statSync(path, { throwIfNoEntry: false })
  return { blocks: stats?.blocks ?? 0, isFile: stats?.isFile() === true }
}
