import { z } from 'zod'
import type { Route } from '../../route/index.ts'
import { noContent, openAccess, ownRoute, signedInAccess } from '../../route/index.ts'
import { createFirstAdministrator } from '../administer.ts'
import { changeEmail, confirmEmail } from '../change-email.ts'
import { login } from '../login.ts'
import type { AccountsParts } from '../parts.ts'
import { changePassword, forgotPassword, resetPassword } from '../passwords.ts'
import { reAuthenticate, requireSession } from '../re-authenticate.ts'
import { refresh } from '../refresh.ts'
import { credentialsRefused } from '../refusals.ts'
import { register } from '../register.ts'
import { verifyEmail } from '../verify-email.ts'
import { EmailText, fromOf, PasswordText, replyWith, Tokens, TokenText } from './exchange.ts'

const NameText = z.string().max(200)
const accepted = z.strictObject({ status: z.literal('accepted') })
const taken = { status: 'accepted' } as const
const limit = 'auth'
// Where a token is the credential: whoever sends wrong ones is counted once more.
const tokenLimit = 'token'

/** Routes for those who have no account yet. */
export function registrationRoutes(parts: () => AccountsParts): readonly Route[] {
  return [
    ownRoute(
      'POST /api/auth/register',
      {
        access: openAccess('Whoever registers has no account yet.'),
        body: z.strictObject({ email: EmailText, password: PasswordText, name: NameText.optional() }),
        output: accepted,
        status: 202,
        limit,
      },
      async ({ body, exchange, requestId }) => {
        await register(parts(), body, fromOf(exchange, requestId))
        return taken
      },
    ),
    ownRoute(
      'POST /api/auth/verify-email',
      {
        access: openAccess('The token from the mail is the credential.'),
        body: z.strictObject({ token: TokenText }),
        output: noContent,
        limit: tokenLimit,
      },
      ({ body, exchange, requestId }) => verifyEmail(parts(), body.token, fromOf(exchange, requestId)),
    ),
  ]
}

/** Routes that give tokens for a password, or for the token of before. */
export function tokenRoutes(parts: () => AccountsParts): readonly Route[] {
  return [
    ownRoute(
      'POST /api/auth/login',
      {
        access: openAccess('Address and password are the credential.'),
        body: z.strictObject({
          email: EmailText,
          password: PasswordText,
          transport: z.enum(['bearer', 'cookie']).default('bearer'),
        }),
        output: Tokens,
        status: 200,
        limit,
      },
      async ({ body, exchange, requestId }) =>
        replyWith(exchange, await login(parts(), body, fromOf(exchange, requestId))),
    ),
    ownRoute(
      'POST /api/auth/refresh',
      {
        access: openAccess('The refresh token is the credential.'),
        body: z.strictObject({ refreshToken: TokenText.optional() }),
        output: Tokens,
        status: 200,
        limit: tokenLimit,
      },
      async ({ body, exchange, requestId }) => {
        const cookie = exchange.cookie('__Host-refresh')
        const token = body.refreshToken ?? cookie
        if (token === undefined) throw credentialsRefused('no refresh token')
        const transport = body.refreshToken === undefined ? 'cookie' : 'bearer'
        return replyWith(exchange, await refresh(parts(), token, transport, fromOf(exchange, requestId)))
      },
    ),
  ]
}

/** Routes for the links of mails, and of the first start. */
export function linkRoutes(parts: () => AccountsParts): readonly Route[] {
  return [
    ownRoute(
      'POST /api/auth/password/forgot',
      {
        access: openAccess('Whoever forgot the password cannot log in.'),
        body: z.strictObject({ email: EmailText }),
        output: accepted,
        status: 202,
        limit,
      },
      async ({ body, exchange, requestId }) => {
        await forgotPassword(parts(), body.email, fromOf(exchange, requestId))
        return taken
      },
    ),
    ownRoute(
      'POST /api/auth/password/reset',
      {
        access: openAccess('The token from the mail is the credential.'),
        body: z.strictObject({ token: TokenText, password: PasswordText }),
        output: noContent,
        limit: tokenLimit,
      },
      ({ body, exchange, requestId }) => resetPassword(parts(), body, fromOf(exchange, requestId)),
    ),
    ownRoute(
      'POST /api/auth/email/confirm',
      {
        access: openAccess('The token from the mail is the credential.'),
        body: z.strictObject({ token: TokenText }),
        output: noContent,
        limit: tokenLimit,
      },
      ({ body, exchange, requestId }) => confirmEmail(parts(), body.token, fromOf(exchange, requestId)),
    ),
    ownRoute(
      'POST /api/auth/setup',
      {
        access: openAccess('The token that the server showed at its start is the credential.'),
        body: z.strictObject({
          token: TokenText,
          email: EmailText,
          password: PasswordText,
          name: NameText.optional(),
        }),
        output: noContent,
        limit: tokenLimit,
      },
      ({ body, exchange, requestId }) => createFirstAdministrator(parts(), body, fromOf(exchange, requestId)),
    ),
  ]
}

/** Routes for those who are signed in, about their credentials. */
export function credentialRoutes(parts: () => AccountsParts): readonly Route[] {
  return [
    ownRoute(
      'POST /api/auth/password/change',
      {
        access: signedInAccess(),
        body: z.strictObject({ currentPassword: PasswordText, newPassword: PasswordText }),
        output: noContent,
        limit,
      },
      async ({ user, body, exchange, requestId }) => {
        const { transport } = requireSession(user)
        const request = { ...body, userId: user.id, transport }
        const signedIn = await changePassword(parts(), request, fromOf(exchange, requestId))
        if (signedIn !== null) replyWith(exchange, signedIn)
      },
    ),
    ownRoute(
      'POST /api/auth/email/change',
      {
        access: signedInAccess(),
        body: z.strictObject({ email: EmailText, password: PasswordText }),
        output: accepted,
        status: 202,
        limit,
      },
      async ({ user, body, exchange, requestId }) => {
        await changeEmail(parts(), { ...body, userId: user.id }, fromOf(exchange, requestId))
        return taken
      },
    ),
    ownRoute(
      'POST /api/auth/reauthenticate',
      {
        access: signedInAccess(),
        body: z.strictObject({ password: PasswordText }),
        output: Tokens,
        status: 200,
        limit,
      },
      async ({ user, body, exchange, requestId }) => {
        const { id: sessionId, transport } = requireSession(user)
        const request = { userId: user.id, sessionId, password: body.password, transport }
        return replyWith(exchange, await reAuthenticate(parts(), request, fromOf(exchange, requestId)))
      },
      { standsStepUp: true },
    ),
  ]
}
