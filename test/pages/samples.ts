import type { Html } from '../../src/endpoints/pages/html.ts'
import type { Page } from '../../src/endpoints/pages/stationery.ts'
import { account, recoveryCodes, stepUp, totpEnrol } from '../../src/endpoints/pages/views-account.ts'
import {
  consent,
  deviceCode,
  deviceConfirm,
  deviceDone,
  oauthProblem,
} from '../../src/endpoints/pages/views-consent.ts'
import { secondFactor, signIn, signOut } from '../../src/endpoints/pages/views-door.ts'
import { checkYourMail, forgot, invitation, register, reset, verify } from '../../src/endpoints/pages/views-joining.ts'
import { arriving, problem, refused, returning, signedIn } from '../../src/endpoints/pages/views-passage.ts'
import { refuse } from '../../src/kernel/error.ts'

/** Every view, with every fact that a stranger may have had a hand in passed through `said`. */
export function samples(said: (plain: string) => string): Readonly<Record<string, (page: Page) => Html>> {
  const at = Date.UTC(2026, 2, 14, 9, 26)
  const providers = [
    { name: said('google'), label: said('Google') },
    { name: said('acme'), label: said('Acme Works') },
  ]
  const email = said('ada@example.com')
  const passwordLengthMin = 15
  const long = 'must have at least 15 characters, and has 7'
  const scopes = [
    { name: said('widgets:read'), text: said('See your widgets') },
    { name: said('widgets:write'), text: said('Change and delete your widgets') },
  ]
  return {
    'sign-in': (page) =>
      signIn(page, {
        action: '/auth/sign-in',
        returnTo: said('/reports?year=2026'),
        providers,
        passkeys: true,
        registration: 'open',
        mail: true,
      }),
    'sign-in-error': (page) =>
      signIn(page, {
        action: '/auth/sign-in',
        identifier: email,
        error: said('No account answers to this name and password. Check both, or ask for a new password.'),
        providers: [],
        passkeys: true,
        registration: 'invited',
        mail: true,
        notice: said('You are signed out'),
      }),
    'second-factor': (page) =>
      secondFactor(page, {
        action: '/auth/sign-in/second',
        challenge: said('gh_ch_123'),
        methods: ['totp', 'recovery-code', 'passkey'],
        returnTo: said('/reports'),
        errors: { code: [said('is not right')] },
      }),
    'second-factor-passkey': (page) =>
      secondFactor(page, { action: '/auth/sign-in/second', challenge: said('gh_ch_123'), methods: ['passkey'] }),
    register: (page) =>
      register(page, { action: '/auth/register', values: {}, username: true, passwordLengthMin, returnTo: said('/x') }),
    'register-error': (page) =>
      register(page, {
        action: '/auth/register',
        values: { email: said('ada@'), name: said('Ada'), username: said('a') },
        errors: { email: [said('must be an e-mail address')], password: [long], [said('other')]: [said('is wrong')] },
        username: true,
        passwordLengthMin,
      }),
    'check-your-mail': (page) => checkYourMail(page, { kind: 'reset', address: email }),
    forgot: (page) => forgot(page, { action: '/auth/forgot', email }),
    reset: (page) =>
      reset(page, { action: '/auth/reset', token: said('gh_tk_1'), errors: { password: [long] }, passwordLengthMin }),
    verify: (page) => verify(page, { action: '/auth/verify', token: said('gh_tk_1'), askPassword: false }),
    'verify-password': (page) =>
      verify(page, { action: '/auth/verify', token: said('gh_tk_1'), askPassword: true, error: said('Wrong') }),
    invitation: (page) =>
      invitation(page, {
        action: '/auth/invitation',
        token: said('gh_tk_1'),
        email,
        values: { name: said('Ada'), username: said('ada') },
        username: true,
        passwordLengthMin,
      }),
    'signed-in': (page) => signedIn(page, { to: said('/reports') }),
    returning: (page) =>
      returning(page, { to: said('https://client.example/cb?code=1&state=2'), client: said('Claude') }),
    'sign-out': (page) => signOut(page, { action: '/auth/sign-out', who: email, returnTo: said('/') }),
    account: (page) =>
      account(page, {
        person: {
          name: said('Ada Lovelace'),
          email,
          emailVerified: false,
          username: said('ada'),
          hasPassword: true,
        },
        sessions: [
          {
            id: said('1'),
            device: said('Firefox on Linux'),
            address: said('2001:db8::1'),
            lastSeen: at,
            current: true,
          },
          {
            id: said('2'),
            device: said('Safari on iPhone'),
            address: said('192.0.2.7'),
            lastSeen: at - 9e7,
            current: false,
          },
          { id: said('3'), device: said(''), address: said('198.51.100.20'), lastSeen: Number.NaN, current: false },
        ],
        passkeys: [
          { id: said('k1'), name: said('Phone'), createdAt: at - 9e9, lastUsed: at },
          { id: said('k2'), name: said('Blue key'), createdAt: at - 8e9 },
        ],
        totp: true,
        recoveryCodesLeft: 7,
        identities: [{ provider: said('google'), label: said('Google'), account: email }],
        providers: [{ name: said('acme'), label: said('Acme Works') }],
        applications: [
          {
            handle: said('gr_1'),
            name: said('Claude'),
            client: 'unverified',
            hosts: [said('claude.example'), said('app.claude.example')],
            scopes,
            since: at - 9e9,
            lastUsed: at,
            sessions: 2,
          },
          {
            handle: said('gr_2'),
            name: said('Television'),
            client: 'gone',
            hosts: [],
            scopes: [],
            since: at - 9e8,
            lastUsed: undefined,
            sessions: 0,
          },
          {
            handle: said('gr_3'),
            name: said('Reports'),
            client: 'verified',
            hosts: [said('reports.example')],
            scopes,
            since: at,
            lastUsed: undefined,
            sessions: 1,
          },
        ],
        passwordLengthMin,
        mail: true,
        impersonated: false,
        notice: said('The passkey was removed.'),
        errors: { current_password: [said('is not right')] },
      }),
    'account-impersonated': (page) =>
      account(page, {
        person: { name: said('Ada Lovelace'), email, emailVerified: true, hasPassword: false },
        sessions: [{ id: '1', device: said('Firefox'), address: said('::1'), lastSeen: at, current: true }],
        passkeys: [],
        totp: false,
        recoveryCodesLeft: 0,
        identities: [],
        providers,
        applications: [],
        passwordLengthMin,
        mail: false,
        impersonated: true,
      }),
    'account-new': (page) =>
      account(page, {
        person: { name: said('Ada Lovelace'), email, emailVerified: true, hasPassword: false },
        sessions: [{ id: '1', device: said('Firefox'), address: said('::1'), lastSeen: at, current: true }],
        passkeys: [],
        totp: false,
        recoveryCodesLeft: 0,
        identities: [],
        providers,
        applications: undefined,
        passwordLengthMin,
        mail: true,
        impersonated: false,
      }),
    'totp-enrol': (page) =>
      totpEnrol(page, {
        action: '/auth/account/totp/confirm',
        qrSvg:
          '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 8 8"><path d="M0 0h3v3H0zM5 0h3v3H5zM0 5h3v3H0zM4 4h1v1H4zM6 6h2v1H6z"/></svg>',
        secret: said('JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP'),
        errors: { code: [said('is not right')] },
      }),
    'recovery-codes': (page) =>
      recoveryCodes(page, { codes: Array.from({ length: 10 }, (_, index) => said(`7QKD-M2XR-${1000 + index}`)) }),
    'step-up': (page) =>
      stepUp(page, {
        action: '/auth/step-up',
        methods: ['password', 'totp', 'recovery-code', 'passkey'],
        account: email,
        challenge: said('gh_ch_1'),
        returnTo: said('/auth/account'),
      }),
    consent: (page) =>
      consent(page, {
        action: '/auth/consent/int_1',
        client: { name: said('Claude'), host: said('claude.example'), verified: true },
        scopes,
        resources: [said('Tools (https://api.example.com/mcp)')],
        lifetimeMs: 30 * 86_400_000,
        account: email,
      }),
    'consent-unchecked': (page) =>
      consent(page, {
        action: '/auth/consent/int_1',
        client: { name: said('Claude'), host: said('claude.example'), verified: false },
        back: { host: said('cdn.example') },
        scopes,
        resources: [said('Tools (https://api.example.com/mcp)'), said('Acme (https://api.example.com)')],
        lifetimeMs: 90 * 60_000,
        account: email,
        again: '/oauth/authorize?client_id=claude&state=1',
      }),
    'consent-on-this-device': (page) =>
      consent(page, {
        action: '/auth/consent/int_1',
        client: { name: said('Claude'), host: undefined, verified: false },
        scopes,
        resources: [],
        lifetimeMs: undefined,
        account: email,
      }),
    arriving: (page) => arriving(page, { to: '/auth/consent/int_1?onward=1' }),
    'device-code': (page) => deviceCode(page, { action: '/auth/device', wrong: false }),
    'device-code-wrong': (page) => deviceCode(page, { action: '/auth/device', code: said('WDJB-MJHT'), wrong: true }),
    'device-confirm': (page) =>
      deviceConfirm(page, {
        action: '/auth/device',
        code: said('WDJB-MJHT'),
        client: { name: said('Television'), host: said('tv.example'), verified: false },
        scopes,
        resources: [said('Acme (https://api.example.com)')],
        device: { name: said('A program on Linux'), address: said('192.0.2.7'), at },
        account: email,
      }),
    'device-confirm-verified': (page) =>
      deviceConfirm(page, {
        action: '/auth/device',
        code: said('wdjb mjht'),
        client: { name: said('Television'), host: undefined, verified: true },
        scopes,
        device: { name: said('A program on Linux'), address: said('192.0.2.7') },
        account: email,
      }),
    'device-allowed': (page) => deviceDone(page, { allowed: true }),
    'device-denied': (page) => deviceDone(page, { allowed: false }),
    'oauth-problem': (page) =>
      oauthProblem(page, { error: said('invalid_request'), description: said('response_type is missing') }),
    'oauth-problem-client': (page) =>
      oauthProblem(page, { error: 'invalid_client', description: said('client is invalid') }),
    'oauth-problem-redirect': (page) =>
      oauthProblem(page, { error: 'invalid_redirect_uri', description: said('redirect_uri did not match') }),
    problem: (page) =>
      problem(page, {
        title: said('Something went wrong'),
        detail: said('Give the number to the operator.'),
        requestId: said('req_1'),
        signInLink: true,
      }),
    refused: (page) => refused(page, refuse('conflict', { detail: said('taken') }), said('req_1')),
  }
}
