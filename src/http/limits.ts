/** What one connection and one request may cost. Every limit exists; none can be switched off. */
export interface EdgeLimits {
  /** Characters of the request target, query included. Longer is a 414. */
  readonly urlChars: number
  /** Characters of one path parameter. Longer is a 414. */
  readonly parameterChars: number
  /** Query parameters. More is a 400. */
  readonly queryParameterCount: number
  /** Bytes of all request headers. More is a 431. */
  readonly headerBytes: number
  /** Header fields. More is a 431. */
  readonly headerCount: number
  /** Bytes of a body; a route can lower it. More is a 413. */
  readonly bodyBytes: number
  /** Levels of nesting in a JSON body. */
  readonly jsonDepthCount: number
  /** Keys of all objects in a JSON body together. */
  readonly jsonKeyCount: number
  /** Elements of all arrays in a JSON body together. */
  readonly jsonElementCount: number
  /** Milliseconds for the headers to arrive. Later is a 408. */
  readonly headersTimeoutMs: number
  /** Milliseconds for the whole request to arrive. Later is a 408. */
  readonly requestTimeoutMs: number
  /** Milliseconds for a handler to answer. Later is a 503. */
  readonly handlerTimeoutMs: number
  /** Milliseconds that a connection may idle between two requests. */
  readonly keepAliveTimeoutMs: number
  /** Milliseconds without a byte in either direction, after which a connection is cut. */
  readonly socketIdleTimeoutMs: number
  /** Milliseconds between two looks for connections that are over their time. */
  readonly timeoutCheckIntervalMs: number
  /** Requests on one connection, after which it is closed. */
  readonly requestsPerConnectionCount: number
  /** Open connections. More are closed at once. */
  readonly connectionCount: number
}

/** The limits that hold unless an application chooses others. */
export const defaultLimits: EdgeLimits = {
  urlChars: 8_192,
  parameterChars: 200,
  queryParameterCount: 50,
  headerBytes: 16_384,
  headerCount: 100,
  bodyBytes: 1_048_576,
  jsonDepthCount: 32,
  jsonKeyCount: 1_000,
  jsonElementCount: 10_000,
  headersTimeoutMs: 10_000,
  requestTimeoutMs: 30_000,
  handlerTimeoutMs: 30_000,
  // Above the 60 seconds that load balancers keep an idle connection, so that they close first: a server that
  // closes while a proxy sends answers the next request with a reset.
  keepAliveTimeoutMs: 65_000,
  socketIdleTimeoutMs: 120_000,
  timeoutCheckIntervalMs: 1_000,
  requestsPerConnectionCount: 1_000,
  connectionCount: 10_000,
}
