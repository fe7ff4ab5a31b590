export {
  type AppEventName,
  type EventKind,
  type EventLevel,
  type EventName,
  type EventOutcome,
  eventCatalogue,
  isEventName,
  isKnownEvent,
  type KnownEventName,
  kindOfEvent,
} from './catalogue.ts'
export { recordOf } from './record.ts'
export type {
  EmitEvent,
  EventDetails,
  EventPlace,
  EventSubject,
  HandlerEvent,
  RecordedEvent,
  SecurityEvent,
} from './security-event.ts'
