/**
 * The part of a browser that the scripts of the account pages use. The server's own compiler settings know no DOM, so
 * that `document` in server code is a mistake; these types are imported where they are meant.
 *
 * What turns text into markup or code (`innerHTML`, `insertAdjacentHTML`, `document.write`) is not in them: a script
 * that uses it does not compile.
 */
export interface Page {
  readonly document: PageDocument
  readonly history: PageHistory
  readonly location: PageLocation
  readonly navigator: PageNavigator
  readonly sessionStorage: NoteStorage
  addEventListener(type: string, listener: (event: PageEvent) => void): void
}

/** A document, or what a template holds. */
export interface PageRoot {
  querySelector(selector: string): PageElement | null
  querySelectorAll(selector: string): Iterable<PageElement>
}

/** The document. */
export interface PageDocument extends PageRoot {
  readonly documentElement: PageElement
  createElement(name: string): PageElement
}

/** An element, with what only some kinds have: the scripts ask for elements that the pages are known to hold. */
export interface PageElement extends PageRoot {
  readonly dataset: Record<string, string | undefined>
  readonly content: { cloneNode(deep: true): PageRoot }
  textContent: string | null
  hidden: boolean
  name: string
  value: string
  type: string
  disabled: boolean
  checked: boolean
  open: boolean
  href: string
  download: string
  max: string
  addEventListener(type: string, listener: (event: PageEvent) => void): void
  append(...children: (PageElement | PageRoot | string)[]): void
  replaceChildren(...children: (PageElement | PageRoot | string)[]): void
  closest(selector: string): PageElement | null
  setAttribute(name: string, value: string): void
  removeAttribute(name: string): void
  focus(): void
  click(): void
  remove(): void
  reset(): void
}

/** An event. */
export interface PageEvent {
  /** Of `pageshow`: the page comes out of the back/forward cache. */
  readonly persisted?: boolean
  preventDefault(): void
}

/** The session history. */
export interface PageHistory {
  replaceState(state: null, title: string, url: string): void
}

/** The address bar. */
export interface PageLocation {
  readonly hash: string
  readonly host: string
  readonly pathname: string
  readonly search: string
  assign(url: string): void
  reload(): void
  replace(url: string): void
}

/** The browser's locks, which all tabs of an origin share. */
export interface PageNavigator {
  readonly locks?: { request<T>(name: string, job: () => Promise<T>): Promise<T> }
}

/** What a tab keeps from one page to the next. */
export interface NoteStorage {
  getItem(name: string): string | null
  setItem(name: string, value: string): void
  removeItem(name: string): void
}

/** What was expected of one field. */
export interface FieldFault {
  readonly field: string
  readonly message: string
}

/** What the server said to a request, or that it said nothing. */
export type Reply = Accepted | Refusal

/** A request that was done. */
export interface Accepted {
  readonly ok: true
  readonly status: number
  /** The body of the reply: `null` where there is none. */
  readonly body: unknown
}

/** A request that was refused, or that reached nobody. */
export interface Refusal {
  readonly ok: false
  /** The status, or 0 when there was no reply. */
  readonly status: number
  readonly title: string
  readonly faults: readonly FieldFault[]
  /** When it may be tried again, in seconds from now; `null` when the server did not say. */
  readonly retrySeconds: number | null
  /** The id of the request, for those who read the log. */
  readonly instance: string
}

/** What a form does. */
export interface FormJob {
  /** What the button says meanwhile. */
  readonly busy: string
  /** Sends what was typed. */
  readonly send: (values: Readonly<Record<string, string>>) => Promise<Reply>
  /** Goes on after it was done. */
  readonly done: (values: Readonly<Record<string, string>>, reply: Accepted) => void | Promise<void>
  /** Takes a refusal in hand; `true` when nothing else has to be shown. */
  readonly refused?: (refusal: Refusal, form: PageElement) => boolean
}
