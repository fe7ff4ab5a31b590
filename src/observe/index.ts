export { createLogger, type Logger, type LoggerSettings, type LogLevel } from './logger.ts'
export { redactFields, redactValue } from './redact.ts'
export { safeText } from './sensitive-shapes.ts'
