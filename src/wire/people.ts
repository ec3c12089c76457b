import { z } from 'zod'
import { code, credential, type Endpoint, email, name, password, secret, username } from './shapes.ts'

/** One of the two says who it is. */
export const signInBody = z
  .strictObject({
    email: email.optional(),
    username: z.string().min(1).max(64).optional(),
    password,
    device_token: secret.optional(),
  })
  .refine((body) => (body.email === undefined) !== (body.username === undefined), {
    path: ['email'],
    message: 'is required, or `username` instead',
  })

export const refreshBody = z.strictObject({ refresh_token: z.string().min(1).max(1024) })
export const registerBody = z.strictObject({ email, name, username: username.optional(), password })
export const codeBody = z.strictObject({ challenge: secret, code })
export const passkeyOptionsBody = z.strictObject({ challenge: secret.optional() })
export const passkeyBody = z.strictObject({ challenge: secret, credential })
export const forgotBody = z.strictObject({ email })
export const resetBody = z.strictObject({ token: secret, password })
export const verifyBody = z.strictObject({ token: secret })
export const invitationBody = z.strictObject({
  token: secret,
  name: name.optional(),
  username: username.optional(),
  password,
})
export const changePasswordBody = z.strictObject({ current_password: password, password })
export const changeEmailBody = z.strictObject({ email })
export const stepUpBody = z
  .strictObject({
    password: password.optional(),
    code: code.optional(),
    recovery_code: code.optional(),
    challenge: secret.optional(),
    credential: credential.optional(),
  })
  .refine(
    ({ password, code, recovery_code, credential }) =>
      [password, code, recovery_code, credential].filter((proof) => proof !== undefined).length === 1,
    { message: 'expected one of `password`, `code`, `recovery_code`, or `credential` with its `challenge`' },
  )
  .refine((body) => (body.credential === undefined) === (body.challenge === undefined), {
    path: ['challenge'],
    message: 'belongs to `credential`',
  })
export const totpBody = z.strictObject({ code })
export const newPasskeyBody = z.strictObject({
  challenge: secret,
  credential,
  name: z.string().min(1).max(64).optional(),
})

/** What a person does at the door, and with what is theirs. */
// biome-ignore format: a table, one line to an endpoint
export const people = {
  register: { method: 'POST', path: '/api/auth/register', summary: 'Ask for an account; the address is proven by a letter', access: 'public', limit: 'authentication', body: registerBody },
  signIn: { method: 'POST', path: '/api/auth/login', summary: 'Sign in with a password', access: 'public', limit: 'authentication', body: signInBody },
  signInTotp: { method: 'POST', path: '/api/auth/login/totp', summary: 'Complete a sign-in with a code of the authenticator app', access: 'public', limit: 'authentication', body: codeBody },
  signInRecoveryCode: { method: 'POST', path: '/api/auth/login/recovery-code', summary: 'Complete a sign-in with a recovery code', access: 'public', limit: 'authentication', body: codeBody },
  signInPasskeyOptions: { method: 'POST', path: '/api/auth/login/passkey/options', summary: 'Begin a passkey ceremony: alone, or to complete the sign-in of `challenge`', access: 'public', limit: 'general', body: passkeyOptionsBody },
  signInPasskey: { method: 'POST', path: '/api/auth/login/passkey', summary: 'Sign in with a passkey, or complete a sign-in with one', access: 'public', limit: 'authentication', body: passkeyBody },
  refresh: { method: 'POST', path: '/api/auth/token/refresh', summary: 'Trade a refresh token for new tokens', access: 'public', limit: 'authentication', body: refreshBody },
  signOut: { method: 'POST', path: '/api/auth/logout', summary: 'End this session, its access tokens included', access: 'authenticated', limit: 'general' },
  validate: { method: 'GET', path: '/api/auth/validate', summary: 'Whether the presented credential is good, and for whom', access: 'authenticated', limit: 'general', delegable: true },
  me: { method: 'GET', path: '/api/auth/me', summary: 'Who I am', access: 'authenticated', limit: 'general', delegable: true, scope: ['profile', 'email'] },
  forgotPassword: { method: 'POST', path: '/api/auth/password/forgot', summary: 'Ask for a letter with a link that resets the password', access: 'public', limit: 'authentication', body: forgotBody },
  resetPassword: { method: 'POST', path: '/api/auth/password/reset', summary: 'Choose a new password with the link’s token; every session ends', access: 'public', limit: 'authentication', body: resetBody },
  changePassword: { method: 'POST', path: '/api/auth/password', summary: 'Change my password; my other sessions end', access: 'authenticated', limit: 'authentication', body: changePasswordBody, inPerson: true },
  verifyEmail: { method: 'POST', path: '/api/auth/email/verify', summary: 'Prove an address with the link’s token: of a registration, or of a change', access: 'public', limit: 'authentication', body: verifyBody },
  changeEmail: { method: 'POST', path: '/api/auth/email', summary: 'Ask to change my address; the new one is written to', access: 'authenticated', limit: 'authentication', body: changeEmailBody, recent: true, inPerson: true },
  acceptInvitation: { method: 'POST', path: '/api/auth/invitation', summary: 'Take up an invitation', access: 'public', limit: 'authentication', body: invitationBody },
  stepUp: { method: 'POST', path: '/api/auth/step-up', summary: 'Prove myself again: the session is replaced by a fresh one', access: 'authenticated', limit: 'authentication', body: stepUpBody, inPerson: true },
  stepUpPasskeyOptions: { method: 'POST', path: '/api/auth/step-up/passkey/options', summary: 'Begin a passkey ceremony to prove myself again', access: 'authenticated', limit: 'authentication', inPerson: true },
  sessions: { method: 'GET', path: '/api/auth/sessions', summary: 'Where I am signed in', access: 'authenticated', limit: 'general' },
  endSessions: { method: 'DELETE', path: '/api/auth/sessions', summary: 'Sign me out everywhere, here too', access: 'authenticated', limit: 'general', inPerson: true },
  endOtherSessions: { method: 'DELETE', path: '/api/auth/sessions/others', summary: 'Sign me out everywhere but here', access: 'authenticated', limit: 'general', inPerson: true },
  endSession: { method: 'DELETE', path: '/api/auth/sessions/:id', summary: 'Sign me out in one place', access: 'authenticated', limit: 'general', inPerson: true },
  factors: { method: 'GET', path: '/api/auth/mfa', summary: 'My second factors', access: 'authenticated', limit: 'general' },
  beginTotp: { method: 'POST', path: '/api/auth/mfa/totp', summary: 'Begin to enrol an authenticator app (RFC 6238)', access: 'authenticated', limit: 'general', recent: true, inPerson: true },
  confirmTotp: { method: 'POST', path: '/api/auth/mfa/totp/confirm', summary: 'Enrol the app with its first code; answers recovery codes, shown once', access: 'authenticated', limit: 'authentication', body: totpBody, recent: true, inPerson: true },
  removeTotp: { method: 'DELETE', path: '/api/auth/mfa/totp', summary: 'Remove the authenticator app', access: 'authenticated', limit: 'general', recent: true, inPerson: true },
  renewRecoveryCodes: { method: 'POST', path: '/api/auth/mfa/recovery-codes', summary: 'New recovery codes, shown once; the old ones are void', access: 'authenticated', limit: 'general', recent: true, inPerson: true },
  passkeys: { method: 'GET', path: '/api/auth/passkeys', summary: 'My passkeys', access: 'authenticated', limit: 'general' },
  newPasskeyOptions: { method: 'POST', path: '/api/auth/passkeys/options', summary: 'Begin to enrol a passkey (WebAuthn)', access: 'authenticated', limit: 'general', recent: true, inPerson: true },
  addPasskey: { method: 'POST', path: '/api/auth/passkeys', summary: 'Enrol a passkey', access: 'authenticated', limit: 'general', body: newPasskeyBody, recent: true, inPerson: true },
  removePasskey: { method: 'DELETE', path: '/api/auth/passkeys/:id', summary: 'Remove a passkey', access: 'authenticated', limit: 'general', recent: true, inPerson: true },
  grants: { method: 'GET', path: '/api/auth/grants', summary: 'What I have allowed clients of other people', access: 'authenticated', limit: 'general' },
  withdrawGrant: { method: 'DELETE', path: '/api/auth/grants/:id', summary: 'Take back what I allowed a client, by the `id` of the list; its tokens end', access: 'authenticated', limit: 'general', inPerson: true },
  providers: { method: 'GET', path: '/api/auth/providers', summary: 'The providers that sign people in here', access: 'public', limit: 'general' },
  identities: { method: 'GET', path: '/api/auth/identities', summary: 'My accounts with providers', access: 'authenticated', limit: 'general' },
  unlinkIdentity: { method: 'DELETE', path: '/api/auth/identities/:provider', summary: 'Unlink my account with a provider', access: 'authenticated', limit: 'general', recent: true, inPerson: true },
} as const satisfies Record<string, Endpoint>
