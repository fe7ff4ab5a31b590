export type { AuditTrail, EventListener } from './trail.ts'
