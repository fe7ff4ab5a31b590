import { createServer } from 'node:http'
import cors from 'cors'
import express, { type NextFunction, type Request, type Response } from 'express'
import { rateLimit } from 'express-rate-limit'
import { slowDown } from 'express-slow-down'
import { param, validationResult } from 'express-validator'
import helmet from 'helmet'
import jwt from 'jsonwebtoken'
import client from 'prom-client'
import winston from 'winston'
import { itemsOf, keys, ownerId, rules, serve } from './shared.ts'

// The stack that is taught for Express: each middleware as its readme has it. jsonwebtoken does not know Ed25519, so
// tokens are HS256, its default.

const items = itemsOf(ownerId)
const logger = winston.createLogger({
  level: 'info',
  format: winston.format.combine(winston.format.timestamp(), winston.format.json()),
  transports: [new winston.transports.Console()],
})
const requestCount = new client.Counter({
  name: 'http_requests_total',
  help: 'Requests',
  labelNames: ['method', 'route', 'status'],
})
const requestSeconds = new client.Histogram({
  name: 'http_request_duration_seconds',
  help: 'How long requests take',
  labelNames: ['method', 'route', 'status'],
})

/** The access log and the figures of one request. */
function observe(request: Request, response: Response, next: NextFunction): void {
  const startMs = performance.now()
  response.once('finish', () => {
    const durationMs = performance.now() - startMs
    const { method, originalUrl, ip } = request
    const labels = { method, route: String(request.route?.path ?? 'none'), status: response.statusCode }
    requestCount.inc(labels)
    requestSeconds.observe(labels, durationMs / 1_000)
    logger.info('request', { method, url: originalUrl, status: response.statusCode, durationMs, ip })
  })
  next()
}

function authenticate(request: Request, response: Response, next: NextFunction): void {
  const [scheme, token] = (request.headers.authorization ?? '').split(' ')
  try {
    if (scheme !== 'Bearer' || token === undefined) throw new Error('no token')
    const { issuer } = rules
    response.locals['user'] = jwt.verify(token, keys.hs256, {
      ...{ algorithms: ['HS256'], issuer, audience: issuer },
    })
    next()
  } catch {
    response.status(401).json({ error: 'Unauthorized' })
  }
}

function validate(request: Request, response: Response, next: NextFunction): void {
  const faults = validationResult(request)
  if (faults.isEmpty()) next()
  else response.status(400).json({ errors: faults.array() })
}

const minuteMs = 60_000
const accountOf = (_request: Request, response: Response): string => `account:${response.locals['user'].sub}`

const app = express()
app.use(observe)
app.use(helmet())
app.use(cors({ origin: [rules.allowedOrigin] }))
app.use(
  rateLimit({
    windowMs: minuteMs,
    limit: rules.limitPerMinute,
    standardHeaders: 'draft-8',
    legacyHeaders: false,
  }),
)
app.use(slowDown({ windowMs: minuteMs, delayAfter: rules.limitPerMinute, delayMs: 100 }))
app.use(express.json())
app.get(
  '/api/items/:id',
  authenticate,
  rateLimit({
    ...{ windowMs: minuteMs, limit: rules.limitPerMinute, standardHeaders: 'draft-8', legacyHeaders: false },
    keyGenerator: accountOf,
  }),
  param('id').isUUID(),
  validate,
  (request, response) => {
    const item = items.get(String(request.params['id']))
    if (item === undefined || item.ownerId !== response.locals['user'].sub) {
      response.status(404).json({ error: 'Not Found' })
      return
    }
    const { id, ownerId, title, body, createdAt, updatedAt } = item
    response.json({ id, ownerId, title, body, createdAt, updatedAt })
  },
)
serve(createServer(app), 'HS256')
