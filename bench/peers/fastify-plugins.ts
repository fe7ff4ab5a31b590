import cors from '@fastify/cors'
import helmet from '@fastify/helmet'
import jwt from '@fastify/jwt'
import rateLimit from '@fastify/rate-limit'
import Fastify from 'fastify'
import { serializerCompiler, validatorCompiler, type ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { introduce, itemsOf, keys, ownerId, rules, stopWith, tokensFor } from './shared.ts'

// Fastify with the plugins that its own documentation recommends, each as its readme has it. BENCH_TOKENS chooses how
// tokens are signed: Ed25519 with the library's cache of verified tokens, or HS256, its default, without.

const isHs256 = process.env['BENCH_TOKENS'] === 'HS256'
const items = itemsOf(ownerId)

declare module '@fastify/jwt' {
  interface FastifyJWT {
    payload: { sub: string }
    user: { sub: string }
  }
}

// One line for each request, as everybody here writes it; by itself Fastify writes two.
const fastify = Fastify({
  logger: { level: 'info' },
  disableRequestLogging: true,
}).withTypeProvider<ZodTypeProvider>()
fastify.addHook('onResponse', async (request, reply) => {
  const { method, url, ip } = request
  request.log.info({ method, url, ip, status: reply.statusCode, durationMs: reply.elapsedTime }, 'request')
})
fastify.setValidatorCompiler(validatorCompiler)
fastify.setSerializerCompiler(serializerCompiler)
await fastify.register(helmet)
await fastify.register(cors, { origin: [rules.allowedOrigin] })
await fastify.register(rateLimit, { max: rules.limitPerMinute, timeWindow: '1 minute' })
await fastify.register(
  jwt,
  isHs256
    ? {
        secret: keys.hs256,
        verify: { algorithms: ['HS256'], allowedIss: rules.issuer, allowedAud: rules.issuer },
      }
    : {
        secret: { private: keys.ed25519.privatePem, public: keys.ed25519.publicPem },
        sign: { algorithm: 'EdDSA' },
        verify: { algorithms: ['EdDSA'], allowedIss: rules.issuer, allowedAud: rules.issuer, cache: true },
      },
)

const Item = z.object({
  id: z.uuid(),
  ownerId: z.uuid(),
  title: z.string(),
  body: z.string(),
  createdAt: z.iso.datetime(),
  updatedAt: z.iso.datetime(),
})

const Refusal = z.object({ error: z.string() })

const byAccount = fastify.createRateLimit({
  max: rules.limitPerMinute,
  timeWindow: '1 minute',
  keyGenerator: (request) => `account:${request.user.sub}`,
})

fastify.get(
  '/api/items/:id',
  {
    schema: { params: z.object({ id: z.uuid() }), response: { 200: Item, '4xx': Refusal } },
    // After the limit by address, which the plugin hooks in last of all that is on request.
    preValidation: async (request, reply) => {
      await request.jwtVerify()
      const decided = await byAccount(request)
      if (!decided.isAllowed && decided.isExceeded)
        return reply.code(429).send({ error: 'Too Many Requests' })
    },
  },
  async (request, reply) => {
    const item = items.get(request.params.id)
    if (item === undefined || item.ownerId !== request.user.sub)
      return reply.code(404).send({ error: 'Not Found' })
    return item
  },
)
const address = await fastify.listen({ host: '127.0.0.1', port: 0 })
introduce(address, tokensFor(isHs256 ? 'HS256' : 'EdDSA'))
stopWith(() => fastify.close())
