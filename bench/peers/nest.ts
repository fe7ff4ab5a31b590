import 'reflect-metadata'
import helmet from '@fastify/helmet'
import {
  type CanActivate,
  ClassSerializerInterceptor,
  Controller,
  type ExecutionContext,
  Get,
  Injectable,
  Module,
  NotFoundException,
  Param,
  Req,
  SerializeOptions,
  UnauthorizedException,
  ValidationPipe,
} from '@nestjs/common'
import { APP_GUARD, APP_INTERCEPTOR, APP_PIPE, NestFactory } from '@nestjs/core'
import { JwtModule, JwtService } from '@nestjs/jwt'
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify'
import { ThrottlerGuard, ThrottlerModule } from '@nestjs/throttler'
import { Expose } from 'class-transformer'
import { IsUUID } from 'class-validator'
import { type Item, introduce, itemsOf, keys, ownerId, rules, stopWith, tokensFor } from './shared.ts'

// Nest on Fastify with what its documentation recommends. Node runs TypeScript by taking types away, and knows no
// decorators, so they are applied here as the compiler would. @nestjs/jwt does not know Ed25519: HS256, its default.

interface NestRequest {
  readonly headers: Readonly<Record<string, string | undefined>>
  user?: { readonly sub: string }
}

function decorate(target: object, key: string | undefined, decorators: readonly unknown[]): void {
  for (const decorator of [...decorators].reverse())
    if (typeof decorator === 'function')
      if (key === undefined) decorator(target)
      else decorator(target, key, Object.getOwnPropertyDescriptor(target, key))
}

class ById {
  declare id: string
}
decorate(ById.prototype, 'id', [IsUUID()])

class ItemView {
  declare id: string
}
for (const key of ['id', 'ownerId', 'title', 'body', 'createdAt', 'updatedAt'])
  decorate(ItemView.prototype, key, [Expose()])

const items = itemsOf(ownerId)

class ItemsController {
  read({ id }: ById, request: NestRequest): Item {
    const item = items.get(id)
    if (item === undefined || item.ownerId !== request.user?.sub) throw new NotFoundException()
    return item
  }
}
const read = ItemsController.prototype
Param()(read, 'read', 0)
Req()(read, 'read', 1)
Reflect.defineMetadata('design:paramtypes', [ById, Object], read, 'read')
decorate(read, 'read', [Get(':id'), SerializeOptions({ type: ItemView, excludeExtraneousValues: true })])
decorate(ItemsController, undefined, [Controller('api/items')])

class JwtGuard implements CanActivate {
  readonly #jwt: JwtService

  constructor(jwt: JwtService) {
    this.#jwt = jwt
  }

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = context.switchToHttp().getRequest<NestRequest>()
    const [scheme, token] = request.headers['authorization']?.split(' ') ?? []
    if (scheme !== 'Bearer' || token === undefined) throw new UnauthorizedException()
    try {
      request.user = await this.#jwt.verifyAsync(token)
    } catch {
      throw new UnauthorizedException()
    }
    return true
  }
}
decorate(JwtGuard, undefined, [Injectable(), Reflect.metadata('design:paramtypes', [JwtService])])

/** The limit by address goes before the token is looked at, the one by account after it. */
class AddressGuard extends ThrottlerGuard {
  override async onModuleInit(): Promise<void> {
    await super.onModuleInit()
    this.throttlers = this.throttlers.filter(({ name }) => name === 'address')
  }
}
decorate(AddressGuard, undefined, [Injectable()])

class AccountGuard extends ThrottlerGuard {
  override async onModuleInit(): Promise<void> {
    await super.onModuleInit()
    this.throttlers = this.throttlers.filter(({ name }) => name === 'account')
  }
}
decorate(AccountGuard, undefined, [Injectable()])

const minuteMs = 60_000

class AppModule {}
decorate(AppModule, undefined, [
  Module({
    imports: [
      ThrottlerModule.forRoot([
        { name: 'address', ttl: minuteMs, limit: rules.limitPerMinute },
        {
          ...{ name: 'account', ttl: minuteMs, limit: rules.limitPerMinute },
          getTracker: (request) => `account:${request['user'].sub}`,
        },
      ]),
      JwtModule.register({
        secret: keys.hs256,
        verifyOptions: { algorithms: ['HS256'], issuer: rules.issuer, audience: rules.issuer },
      }),
    ],
    controllers: [ItemsController],
    providers: [
      { provide: APP_GUARD, useClass: AddressGuard },
      { provide: APP_GUARD, useClass: JwtGuard },
      { provide: APP_GUARD, useClass: AccountGuard },
      { provide: APP_PIPE, useValue: new ValidationPipe({ whitelist: true, transform: true }) },
      { provide: APP_INTERCEPTOR, useClass: ClassSerializerInterceptor },
    ],
  }),
])

// The access log is Fastify's pino, one line for each request.
const adapter = new FastifyAdapter({ logger: { level: 'info' }, disableRequestLogging: true })
adapter.getInstance().addHook('onResponse', async (request, reply) => {
  const { method, url, ip } = request
  request.log.info({ method, url, ip, status: reply.statusCode, durationMs: reply.elapsedTime }, 'request')
})
const app = await NestFactory.create<NestFastifyApplication>(AppModule, adapter, { logger: false })
await app.register(helmet)
app.enableCors({ origin: [rules.allowedOrigin] })
await app.listen(0, '127.0.0.1')
introduce(await app.getUrl(), tokensFor('HS256'))
stopWith(() => app.close())
