import { type Check, either, fails, holds, inData, none, unknown } from '../check.ts'
import { spanText } from '../spans.ts'

/** How people prove who they are. */
export const passwordChecks: readonly Check[] = [
  {
    id: 'failures-counted',
    title: 'Failed sign-ins are counted, and raise an alarm',
    area: 'authentication',
    level: 'must',
    owasp: ['API2'],
    look: ({ settings: { identity } }) => {
      const rules = identity.lockout.map(({ failures, per, within }) => `${failures} by ${per} in ${spanText(within)}`)
      return either(
        rules.length > 0,
        rules.join('; '),
        'no rule counts failures; only the hundredth in a row stops an account',
        "identity.lockout: [{ per: 'pair', failures: 5, within: '15m', for: '15m' }]",
      )
    },
  },
  {
    id: 'failures-lock',
    title: 'Guessing is stopped by a lock',
    area: 'authentication',
    level: 'should',
    owasp: ['API2'],
    look: ({ settings: { identity } }) => {
      const locks = identity.lockout.flatMap((rule) =>
        rule.for === undefined ? [] : [`${rule.locks ?? rule.per} for ${spanText(rule.for)}`],
      )
      return either(
        locks.length > 0,
        `locks ${locks.join('; ')}`,
        'failures are raised, and nothing is locked before the hundredth in a row',
        "identity.lockout: give a rule `for`, such as '15m'",
      )
    },
  },
  {
    id: 'password-length',
    title: 'A password that stands alone has 15 characters (NIST SP 800-63B-4)',
    area: 'authentication',
    level: 'should',
    owasp: ['API2'],
    look: ({ settings }) => {
      const { minLength } = settings.identity.password
      return either(
        minLength >= 15,
        `${minLength} characters`,
        `${minLength} characters`,
        'identity.password.minLength: 15',
      )
    },
  },
  {
    id: 'breached-passwords',
    title: 'Passwords from breaches are refused',
    area: 'authentication',
    level: 'should',
    owasp: ['API2'],
    look: ({ settings }) =>
      either(
        settings.identity.password.breachList !== undefined,
        'a list of breached passwords is used, beside that of common ones',
        'only the built-in list of common passwords is used',
        'make a list with `gatehouse breach build`, and name it in identity.password.breachList',
      ),
  },
  {
    id: 'context-words',
    title: 'Words that everybody thinks of here are no passwords',
    area: 'authentication',
    level: 'should',
    owasp: ['API2'],
    look: ({ settings }) => {
      const { contextWords } = settings.identity.password
      return either(
        contextWords.length > 0,
        `${contextWords.length} words`,
        'none are named',
        'identity.password.contextWords: the names of the site, of the company, of the product',
      )
    },
  },
  {
    id: 'password-hashes',
    title: 'Passwords are kept as Argon2id',
    area: 'authentication',
    level: 'must',
    owasp: ['API2'],
    look: inData(({ accounts }) =>
      either(
        accounts.weakHashes === 0,
        `all of ${accounts.all} accounts`,
        `${accounts.weakHashes} accounts have another hash`,
        'gatehouse user reset EMAIL, for each of them',
      ),
    ),
  },
  {
    id: 'addresses-answer',
    title: 'Nobody registers under an address that does not answer',
    area: 'authentication',
    level: 'must',
    owasp: ['API2', 'API6'],
    look: ({ settings: { identity } }) =>
      either(
        identity.registration !== 'open' || identity.verification === 'required',
        `registration is \`${identity.registration}\``,
        'registration is `open`, verification is `none`: it also tells who has an account',
        "identity.verification: 'required'",
      ),
  },
  {
    id: 'administrators-second-factor',
    title: 'Whoever administers has a second factor',
    area: 'authentication',
    level: 'must',
    owasp: ['API2', 'API5'],
    look: inData(({ administrators }) =>
      none(
        administrators.withoutSecondFactor,
        `all of ${administrators.all}`,
        `${administrators.withoutSecondFactor.length} of ${administrators.all} have none`,
        'let them add an authenticator app (POST /api/auth/mfa/totp) or a passkey',
      ),
    ),
  },
  {
    id: 'second-factors',
    title: 'Most people have a second factor',
    area: 'authentication',
    level: 'should',
    owasp: ['API2'],
    look: inData(({ accounts: { all, withSecondFactor } }) =>
      all === 0
        ? holds('there are no accounts')
        : either(
            withSecondFactor * 2 >= all,
            `${withSecondFactor} of ${all}`,
            `${withSecondFactor} of ${all}`,
            "ask for it where it matters: strength: 'multi-factor' on routes",
          ),
    ),
  },
  {
    id: 'first-sign-in',
    title: 'Administrators have signed in, and no first password lies about',
    area: 'authentication',
    level: 'should',
    owasp: ['API2'],
    look: inData(({ administrators }) =>
      none(
        administrators.neverSignedIn,
        'each has signed in',
        'never signed in, so that the password they were given may still be good',
        'gatehouse user lock EMAIL, until they are needed',
      ),
    ),
  },
  {
    id: 'administrators-in-use',
    title: 'Administrative accounts are in use',
    area: 'authentication',
    level: 'should',
    owasp: ['API2', 'API5'],
    look: inData(({ administrators }) =>
      none(
        administrators.unusedFor90Days,
        'each has signed in within 90 days',
        'no sign-in for 90 days',
        'gatehouse user lock EMAIL, or gatehouse user withdraw EMAIL ROLE',
      ),
    ),
  },
  {
    id: 'accounts-in-use',
    title: 'Accounts are in use',
    area: 'authentication',
    level: 'should',
    owasp: ['API9'],
    look: inData(({ accounts: { all, neverSignedIn, unusedFor90Days, locked } }) =>
      either(
        unusedFor90Days === 0,
        `${all} accounts: ${neverSignedIn} never signed in, ${locked} locked`,
        `${unusedFor90Days} of ${all} have not signed in for 90 days, ${locked} are locked`,
        'gatehouse review weekly names them; gatehouse user lock EMAIL',
      ),
    ),
  },
  {
    id: 'providers-trust',
    title: 'Providers are believed only what they have verified',
    area: 'authentication',
    level: 'must',
    owasp: ['API2', 'API10'],
    look: ({ settings: { identity } }) => {
      const used = Object.entries(identity.providers).filter(([, { enabled }]) => enabled)
      const trusted = used.filter(([, { trustEmail }]) => trustEmail).map(([name]) => name)
      return used.length === 0
        ? holds('no providers are used')
        : none(
            trusted,
            used.map(([name]) => name).join(', '),
            'addresses are taken for verified that nobody says are',
            'identity.providers.NAME.trustEmail: false',
          )
    },
  },
  {
    id: 'letters',
    title: 'People can be written to: resets, warnings, verifications',
    area: 'authentication',
    level: 'should',
    owasp: ['API2'],
    look: ({ settings: { mail } }) =>
      either(
        mail !== undefined,
        mail?.smtp === undefined ? 'into a folder' : `by \`${mail.smtp.host}\``,
        'no mail: nobody can reset a password, and nobody is warned',
        "mail: { from: 'Example <no-reply@example.com>', smtp: { host } }",
      ),
  },
  {
    id: 'roles-of-newcomers',
    title: 'Whoever registers gets no administrative role',
    area: 'authentication',
    level: 'must',
    owasp: ['API5'],
    look: ({ settings: { identity, administrator } }) =>
      identity.registration === 'closed'
        ? holds('registration is `closed`')
        : either(
            !identity.defaultRoles.includes(administrator),
            identity.defaultRoles.join(', ') || 'no roles',
            `everybody becomes \`${administrator}\``,
            "identity.defaultRoles: ['user']",
          ),
  },
  {
    id: 'verified-addresses',
    title: 'The addresses of accounts are verified',
    area: 'authentication',
    level: 'should',
    owasp: ['API2'],
    look: inData(({ accounts: { all, unverified } }, { settings: { mail } }) => {
      if (unverified === 0) return holds(`all of ${all}`)
      return mail === undefined
        ? unknown(`${unverified} of ${all} are not, and without \`mail\` none can be`)
        : fails(`${unverified} of ${all} are not`, 'let them ask for a letter at sign-in')
    }),
  },
]
