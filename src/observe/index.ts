export { createLogger, type Logger, type LoggerSettings, type LogLevel } from './logger.ts'
export { redactFields, redactValue } from './redact.ts'
export { safeLines, type WriteSafeLine } from './safe-lines.ts'
export { safeText } from './sensitive-shapes.ts'
