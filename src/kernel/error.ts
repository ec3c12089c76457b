/**
 * Every way in which Gatehouse says no, in one table. The code is stable; the texts are free to improve.
 * `means` and `mend` become the page that a problem's `type` leads to.
 */
export const catalogue = {
  'moved-to-https': row(301, 'Moved permanently', 'The request came without TLS, and the house answers nothing without it.', 'Ask again at `Location`, and use https from the start.'),
  'moved-to-https-as-is': row(308, 'Permanent redirect', 'The request came without TLS, and the house answers nothing without it.', 'Send the same request to `Location`, and use https from the start: what it carried went over the wire in the clear.'),
  'bad-request': row(400, 'Bad request', 'The request is not well-formed HTTP, or could be read in two ways.', 'Send one Host, one Content-Length or `Transfer-Encoding: chunked`, and a path without encoded slashes or dot segments.'),
  'invalid-json': row(400, 'Invalid JSON', 'The body is not one JSON text, or names a member twice.', 'Send valid JSON (RFC 8259) with `Content-Type: application/json`.'),
  'question-invalid': row(400, 'Invalid question', 'The body does not ask whether a subject may do something to a resource (AuthZEN Authorization API 1.0).', 'Send `subject`, `action` and `resource` as `application/json`; `errors` lists each field with its messages.'),
  'credentials-required': row(401, 'Authentication required', 'The route wants to know who asks, and no credential came.', 'Sign in and send the access token as `Authorization: Bearer …`.'),
  'credentials-invalid': row(401, 'Invalid email or password', 'No account answers to this e-mail address and password.', 'Check both, or ask for a new password. The answer is the same for an unknown address, a wrong password and a locked account.'),
  'token-expired': row(401, 'Token has expired', 'The access token is past its `exp`.', 'Fetch a new one with the refresh token.'),
  'token-invalid': row(401, 'Invalid token', 'The token was not issued by this house, for this audience, or was changed.', 'Sign in again.'),
  'token-revoked': row(401, 'Token has been revoked', 'The session that the token belongs to has ended.', 'Sign in again.'),
  'token-wrong-type': row(401, 'Invalid token type: expected access', 'A token of another kind was sent where an access token belongs.', 'Send the `access_token`, not the `refresh_token`.'),
  'proof-invalid': row(401, 'Invalid proof of possession', 'The access token is bound to a key, and the `DPoP` header does not prove that key for this request (RFC 9449).', 'Send `Authorization: DPoP …` with one fresh proof: its `htm`, `htu`, `ath` and `iat` have to fit, and no proof is good twice.'),
  'proof-nonce-required': row(401, 'A nonce is required', 'Proofs of possession have to carry a nonce of ours (RFC 9449 §9).', 'Repeat the request with a new proof that holds the nonce of the `DPoP-Nonce` header.'),
  'api-key-required': row(401, 'API key required', 'The route is for API keys, and none came.', 'Send the key as `X-API-Key: …`, or as `Authorization: Bearer …`.'),
  'api-key-invalid': row(401, 'Invalid API key', 'The key is none of this house, was revoked, or has run out.', 'Make a new one at `/api/keys`, or ask whoever keeps it. A key that was rotated away is good only for a while.'),
  'service-token-invalid': row(401, 'Invalid service token', 'The token was not made by a service that is known here, for this target, within the last five minutes.', 'Make a fresh token, signed with the service’s own secret, whose `aud` is the service that is called.'),
  'signature-required': row(401, 'Signature required', 'The route wants the request signed, and no signature came.', 'Sign the request in the form that the route is documented with.'),
  'signature-invalid': row(401, 'Invalid signature', 'The signature does not fit the request, the time, or the signer.', 'Sign method, address, body and time as they are sent, with a clock that is right to within five minutes. No signature is good twice.'),
  'certificate-required': row(401, 'Client certificate required', 'The route wants a client certificate that an authority of this house vouches for.', 'Connect with a certificate, and its key, from that authority.'),
  'certificate-unknown': row(401, 'Client certificate is not known', 'The certificate is good, and belongs to no service that is known here.', 'Ask for the service to be made known with the subject, or an alternative name, of the certificate.'),
  'session-ended': row(401, 'Session has ended', 'The session of this cookie has ended, or ran out.', 'Sign in again.'),
  'second-factor-required': row(401, 'Second factor required', 'The password was right, and the account has a second factor.', 'Send `challenge` with a code to `/api/auth/login/totp`, `/api/auth/login/recovery-code` or `/api/auth/login/passkey`.'),
  'factor-invalid': row(401, 'Invalid code', 'The code, or the answer of the passkey, was not accepted.', 'A code is good once, and for half a minute. Try the next one.'),
  'step-up-required': row(401, 'A more recent or stronger sign-in is required', 'The sign-in is older, or weaker, than the route demands (RFC 9470).', 'Prove yourself again at `/api/auth/step-up`, and send the access token that it answers.'),
  'provider-failed': row(401, 'Sign-in with the provider failed', 'The provider did not vouch for anybody, or its answer does not belong to this browser.', 'Begin again from the sign-in page.'),
  'link-invalid': row(400, 'The link is not valid', 'The link was used, has run out, or was never ours.', 'Ask for a new one.'),
  'injection-detected': row(403, 'The request looks like an attack', 'A part of the request would run as code, SQL, markup or a command where it is put together with others (CWE-74).', '`findings` says which field, and as what. If it is honest: the operator allows the field or the rule under `inspection.injection.allow`; `gatehouse inspect` shows why.'),
  'prompt-injection-detected': row(403, 'The text gives orders to a model', 'A text that a model would read tries to change what the model was told (OWASP LLM01).', '`findings` says which field. Say what is wanted without telling the model whom to obey.'),
  'moderation-refused': row(403, 'The text is not welcome here', 'A text falls into a category that the operator does not take.', '`findings` says which field, and which category.'),
  'cross-site': row(403, 'The request came from another site', 'A cookie came along, and neither `Origin` nor `Sec-Fetch-Site` says that the page was ours.', 'Send the request from a page of this origin or of one that `cors.origins` lists, or send an access token instead.'),
  'https-required': row(403, 'Cookies need https', 'Signing in by a page sets a cookie that browsers keep over https, or on this machine, and nowhere else.', 'Open the page by https, or by `http://localhost`. Behind a proxy that ends TLS, name it in `listen.trustedProxies`.'),
  'address-not-allowed': row(403, 'IP address not allowed', 'The caller’s address is not among those that may come here, or is among those that may not.', 'Come from an allowed network. Behind a proxy, name it in `listen.trustedProxies`.'),
  'in-person-only': row(403, 'Only the person themself may do this', 'Somebody acts as this person, and what proves a person is theirs to change.', 'Let the person sign in and do it.'),
  'registration-closed': row(403, 'Registration is closed', 'Accounts are made by an administrator, or by invitation.', 'Ask an administrator for an invitation.'),
  conflict: row(409, 'Conflict', 'What was asked for contradicts what is there.', '`detail` says what.'),
  'changes-frozen': row(409, 'Changes are frozen', 'While an incident is looked into, nobody changes who may do what. What takes access away goes on.', 'Wait, or ask whoever works on the incident to thaw: `gatehouse incident thaw`. `detail` says since when, and why.'),
  'permission-required': row(403, 'Permission required', 'The caller is known, and lacks the permission that the route demands.', 'Ask an administrator for a role that holds it.'),
  'insufficient-scope': row(403, 'Insufficient scope', 'The client was granted less than the request needs.', 'Ask the person for the scopes that `scope` names, all of them, and send the new access token.'),
  'first-party-only': row(403, 'Only our own sign-in may do this', 'A client of other people asked, and no scope lets one in here.', 'Let the person do it themself; or, for a route of your own, name a `scope`.'),
  'not-found': row(404, 'Not found', 'No route is configured for this path, or the caller may not know that it exists.', 'Add a route for the path: what is not listed is closed.'),
  'method-not-allowed': row(405, 'Method not allowed', 'The path has a route, but not for this method.', 'See the `Allow` header.'),
  'request-timeout': row(408, 'Request timeout', 'The request did not arrive whole in time.', 'Send headers and body without long pauses.'),
  'content-too-large': row(413, 'Content too large', 'The body is larger than the route accepts.', 'Send less, or raise `bodyMax` of the route.'),
  'media-type-unsupported': row(415, 'Unsupported media type', 'The route reads JSON and the body says it is something else.', 'Send `Content-Type: application/json`.'),
  'expectation-failed': row(417, 'Expectation failed', 'An `Expect` other than `100-continue` was sent.', 'Leave the header out.'),
  'body-invalid': row(422, 'Invalid body', 'The body breaks the schema of the route.', '`errors` lists each field with its messages.'),
  'request-invalid': row(422, 'Invalid request', 'A parameter, header, cookie or part of the path breaks the schema of the route.', '`errors` lists each with its messages, and `invalid` where each stands.'),
  'personal-data-refused': row(422, 'The request holds personal data', 'The route takes none, and some was found.', '`findings` says which field, and of what kind. Leave it out.'),
  'secret-refused': row(422, 'The request holds a secret', 'A key, a token or a password was found where it does not belong.', '`findings` says which field. Leave it out, and change it: it has been sent.'),
  'upload-refused': row(422, 'The file is not accepted', 'The file is of another type than it says or than the route takes, its name leads elsewhere, or it holds what runs.', '`errors` lists each file with what is wrong with it.'),
  'not-inspectable': row(422, 'The content cannot be inspected', 'The route looks into what it is sent, and this cannot be read whole: an unknown encoding, too deep, or too much to be looked at in time.', 'Send less, uncompressed, as JSON, a form, XML or text in UTF-8.'),
  'rate-limited': row(429, 'Too many requests', 'A limit of the route is used up.', 'Wait for `Retry-After` seconds.'),
  'address-blocked': row(429, 'Address blocked', 'The caller’s address asked too often and is blocked for a while, or an administrator has blocked it.', 'Wait for `Retry-After` seconds: asking meanwhile lengthens nothing. Where there is none the block has no end: ask an administrator to lift it.'),
  'user-agent-refused': row(429, 'User agent refused', 'Programs that call themselves so in `User-Agent` are refused here.', 'Send a `User-Agent` that says which program this is and who runs it, or ask an administrator to allow it.'),
  'headers-too-large': row(431, 'Request header fields too large', 'The headers exceed 16 KiB or 100 fields.', 'Send fewer or shorter headers.'),
  'client-left': row(499, 'Client closed request', 'The caller closed the connection before the answer was there. Nobody reads this; the record does.', 'Nothing to mend on this side.'),
  internal: row(500, 'Internal error', 'Something failed inside the gate. Nothing was let through.', 'Give the `request_id` to the operator: the log line has the cause.'),
  'upstream-unreachable': row(502, 'Bad gateway', 'The API behind the gate could not be reached.', 'Check that it runs, and its address under `upstreams`.'),
  'upstream-broke-off': row(502, 'Bad gateway', 'The API behind the gate broke off before it had answered.', 'See the log of that API.'),
  'answer-invalid': row(502, 'Bad gateway', 'The API behind the gate answered something that breaks the schema of the route.', 'See the log of the house: it says which field. Correct the API, or the schema.'),
  'answer-refused': row(502, 'Bad gateway', 'The API behind the gate answered something that must not leave: personal data, a secret, or orders to a model.', 'See the record of the request: it says what, and where. Correct the API, or let what is found be redacted.'),
  'answer-not-screenable': row(502, 'Bad gateway', 'The route screens its answers, and this one cannot be read: an unknown encoding, or more than the bound.', 'Let the API answer uncompressed, or with gzip, br or zstd; see the log of the house.'),
  'moderation-unavailable': row(503, 'Moderation is not available', 'The route asks a moderation service about texts, that one does not answer, and the operator chose to refuse meanwhile.', 'Try again after `Retry-After` seconds.'),
  'sandbox-unavailable': row(503, 'Code cannot be run', 'A wall that keeps code of users away from everything else is missing on this machine, or the interpreter does not start.', 'See `detail`, or `gatehouse sandbox walls`: it says what is missing and how to have it.'),
  unavailable: row(503, 'Service unavailable', 'A part that the answer depends on is down.', 'Try again after `Retry-After` seconds.'),
  'record-unavailable': row(503, 'The audit log cannot be written', 'What this request does is written down together with it, and nothing can be written down at the moment: nothing was changed.', 'Try again after a while. `/health/ready` and the log of the house say how it is; `gatehouse audit verify` tells whether the chain is whole.'),
  overloaded: row(503, 'Overloaded', 'More is asked for at the moment than can be answered in time, and this request was one too many.', 'Try again after `Retry-After` seconds, and after longer each time that it happens again.'),
  draining: row(503, 'Service unavailable', 'This node is shutting down and takes no new requests.', 'Try again: another node, or this one after its restart, will answer.'),
  'loop-detected': row(508, 'Loop detected', 'The request has passed this gate before.', 'An upstream points back at the gate: correct `upstreams`.'),
  'upstream-timeout': row(504, 'Gateway timeout', 'The API behind the gate did not begin to answer in time.', 'Raise `answerTimeout` of the upstream, or make it answer sooner.'),
} as const satisfies Record<string, CatalogueRow>

export type Code = keyof typeof catalogue

export interface CatalogueRow {
  readonly status: number
  readonly title: string
  readonly means: string
  readonly mend: string
}

function row(status: number, title: string, means: string, mend: string): CatalogueRow {
  return { status, title, means, mend }
}

/** An expected no, as a value: what a stage or a room answers when the request may not go on. */
export interface Refusal {
  readonly code: Code
  /** One public sentence. */
  readonly detail: string
  /** How long to wait before another try is worth it. */
  readonly retryAfterMs?: number
  /** Field → messages, where a body broke its schema. */
  readonly errors?: FieldErrors
  /** Members of the problem document beside the usual ones (RFC 9457 §3.2): what a client needs to go on. */
  readonly extensions?: Readonly<Record<string, unknown>>
  /** What the log should know and the caller should not. */
  readonly reason?: string
  /** Headers that belong to this refusal (`Allow`, `WWW-Authenticate`), as name, value, name, value. */
  readonly headers?: readonly string[]
}

export type FieldErrors = Readonly<Record<string, readonly string[]>>

/** The refusal of a code, in the catalogue's own words unless `more` says better. */
export function refuse(code: Code, more: Partial<Omit<Refusal, 'code'>> = {}): Refusal {
  return { detail: catalogue[code].title, ...more, code }
}

/** A part failed in a way that has a name. `message` is for the log; the caller reads the catalogue's words, or `told`. */
export class Fault extends Error {
  override readonly name = 'Fault'
  readonly code: Code
  /** One public sentence. */
  readonly told: string | undefined

  constructor(code: Code, message: string, cause?: unknown, told?: string) {
    super(message, cause === undefined ? undefined : { cause })
    this.code = code
    this.told = told
  }
}
