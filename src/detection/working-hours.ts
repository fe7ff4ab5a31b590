/** When privileges are changed by those who may: outside of it, it is found. */
export interface WorkingHours {
  /** IANA: `Europe/Berlin`. */
  readonly timeZone: string
  /** Monday to Friday unless given. */
  readonly days?: readonly Weekday[]
  /** `08:00` */
  readonly from: string
  /** `18:00`; not part of it. */
  readonly to: string
}

/** A day of the week. */
export type Weekday = 'mon' | 'tue' | 'wed' | 'thu' | 'fri' | 'sat' | 'sun'

/** Every day of the week. */
export const weekdays: readonly Weekday[] = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun']

const workdays: readonly Weekday[] = ['mon', 'tue', 'wed', 'thu', 'fri']

/** Whether a text is a time of day: `08:00`. */
export function isTimeOfDay(text: unknown): boolean {
  return typeof text === 'string' && /^(?:[01]\d|2[0-3]):[0-5]\d$/.test(text)
}

/** Tells whether a moment is within working hours. Nights that go past midnight can be given: `22:00` to `06:00`. */
export function workingHours({
  timeZone,
  days = workdays,
  from,
  to,
}: WorkingHours): (atMs: number) => boolean {
  const format = new Intl.DateTimeFormat('en-GB', {
    timeZone,
    weekday: 'short',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  })
  return (atMs) => {
    const parts = new Map(format.formatToParts(atMs).map(({ type, value }) => [type, value]))
    const time = `${parts.get('hour')}:${parts.get('minute')}`
    const isIn = from <= to ? time >= from && time < to : time >= from || time < to
    return isIn && days.some((day) => day === parts.get('weekday')?.toLowerCase())
  }
}
