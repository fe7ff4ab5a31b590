export type {
  AccountEvent,
  AccountEventName,
  BanEvent,
  EmitEvent,
  RefusedRowEvent,
  SecurityEvent,
} from './security-event.ts'
