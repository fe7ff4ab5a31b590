export type {
  AccountEvent,
  AccountEventName,
  EmitEvent,
  RefusedRowEvent,
  SecurityEvent,
} from './security-event.ts'
