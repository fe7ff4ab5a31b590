/**
 * `node:http`. An import statement would evaluate each of its members, `WebSocket` among them, and that loads a whole
 * HTTP client: 8 ms and some megabytes at each start that nobody here uses.
 */
export const nodeHttp: typeof import('node:http') = process.getBuiltinModule('node:http')
