/** What each letter is filled in with. Links lead to the public origin; times are ISO 8601. */
export interface LetterValues {
  readonly 'verify-email': { readonly link: string; readonly minutes: number }
  readonly 'already-registered': { readonly signIn: string; readonly reset: string }
  readonly 'reset-password': { readonly link: string; readonly minutes: number }
  readonly 'password-changed': { readonly at: string; readonly link: string }
  readonly 'confirm-new-email': { readonly link: string; readonly minutes: number }
  readonly 'email-changed': { readonly at: string }
  readonly 'new-device': {
    readonly at: string
    /** What a person would call the device. */
    readonly device: string
    /** The client's IP address. */
    readonly address: string
    readonly link: string
  }
  readonly 'sign-in-disabled': { readonly link: string }
  readonly 'roles-changed': { readonly at: string; readonly roles: readonly string[] }
  readonly 'account-deleted': { readonly at: string }
  /** To whoever runs the server. The words are made plain; none of them becomes a link. */
  readonly alert: { readonly subject: string; readonly lines: readonly string[] }
}

/** The letters that there are. */
export type TemplateName = keyof LetterValues

/** A letter of one template: to whom, and what it says. */
export type LetterOf<Template extends TemplateName> = {
  readonly [Name in Template]: {
    readonly to: string
    readonly template: Name
    readonly values: LetterValues[Name]
  }
}[Template]

/** A letter. */
export type Letter = LetterOf<TemplateName>

/** A letter as it is sent. */
export interface RenderedMail {
  readonly to: string
  readonly subject: string
  readonly text: string
  readonly html: string
  /** Every address that it links to. */
  readonly links: readonly string[]
}
