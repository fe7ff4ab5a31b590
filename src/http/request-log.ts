import type { FastifyBaseLogger, FastifyRequest } from 'fastify'

/**
 * The log of one request, made when somebody writes to it. Most requests have one line, which needs no log of its own,
 * and to make one costs as much as to write that line.
 */
export class RequestLog implements FastifyBaseLogger {
  readonly #logger: FastifyBaseLogger
  readonly #request: FastifyRequest
  #made: FastifyBaseLogger | undefined
  /** True once somebody has given it fields or a level of its own: its lines are not like all others then. */
  isChanged = false

  constructor(logger: FastifyBaseLogger, request: FastifyRequest) {
    this.#logger = logger
    this.#request = request
  }

  get level(): string {
    return this.#log.level
  }

  set level(level: string) {
    this.isChanged = true
    this.#log.level = level
  }

  child(...given: Parameters<FastifyBaseLogger['child']>): FastifyBaseLogger {
    return this.#log.child(...given)
  }

  // What pino has beside what Fastify asks for; where the log is another one's, it may be missing.

  setBindings(bindings: object): void {
    this.isChanged = true
    this.#call('setBindings', bindings)
  }

  bindings(): unknown {
    return this.#call('bindings')
  }

  isLevelEnabled(level: string): boolean {
    return this.#call('isLevelEnabled', level) === true
  }

  flush(...given: readonly unknown[]): void {
    this.#call('flush', ...given)
  }

  #call(name: string, ...given: readonly unknown[]): unknown {
    const method: unknown = Reflect.get(this.#log, name)
    return typeof method === 'function' ? Reflect.apply(method, this.#log, given) : undefined
  }

  fatal(...given: readonly unknown[]): void {
    Reflect.apply(this.#log.fatal, this.#log, given)
  }

  error(...given: readonly unknown[]): void {
    Reflect.apply(this.#log.error, this.#log, given)
  }

  warn(...given: readonly unknown[]): void {
    Reflect.apply(this.#log.warn, this.#log, given)
  }

  info(...given: readonly unknown[]): void {
    Reflect.apply(this.#log.info, this.#log, given)
  }

  debug(...given: readonly unknown[]): void {
    Reflect.apply(this.#log.debug, this.#log, given)
  }

  trace(...given: readonly unknown[]): void {
    Reflect.apply(this.#log.trace, this.#log, given)
  }

  silent(...given: readonly unknown[]): void {
    Reflect.apply(this.#log.silent, this.#log, given)
  }

  get #log(): FastifyBaseLogger {
    const { id, routeOptions } = this.#request
    const level = routeOptions.logLevel
    this.#made ??= this.#logger.child({ requestId: id }, level === undefined ? {} : { level })
    return this.#made
  }
}
