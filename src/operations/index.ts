export { viewOf } from './events.ts'
export { type PostureFacts, type PostureFinding, postureFindings } from './posture.ts'
export { type OperationsParts, operationRoutes } from './routes.ts'
