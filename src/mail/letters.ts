import { z } from 'zod'

/** Every letter that the house writes. */
export type LetterKind = keyof typeof english

/** What a letter may tell. Times are written as they are given. */
export interface LetterFacts {
  readonly site: string
  readonly name?: string
  readonly link?: string
  readonly minutes?: number
  readonly device?: string
  readonly address?: string
  readonly time?: string
  readonly client?: string
  readonly key?: string
  /** The title of an incident, and what there is to know of it. */
  readonly incident?: string
  readonly id?: string
  readonly type?: string
  readonly severity?: string
  readonly due?: string
  readonly count?: string
}

export interface Letter {
  readonly subject: string
  readonly text: string
  readonly html: string
}

interface Words {
  readonly subject: string
  /** Paragraphs, with an empty line between them. A link stands in a paragraph of its own. */
  readonly body: string
}

/**
 * The words, with facts in braces. Letters to addresses that nobody has proven yet carry no name: whoever registers chooses
 * it, and would have us send their words to strangers.
 */
const english = {
  verify: {
    subject: 'Confirm your e-mail address for {site}',
    body: 'Somebody, most likely you, asked for an account at {site} with this address. Open this page to confirm it:\n\n{link}\n\nThe link works once, for {duration}. If it was not you, do nothing: without the link there is no account.',
  },
  'registered-already': {
    subject: 'You have an account at {site}',
    body: 'Somebody, perhaps you, tried to register at {site} with this address. It has an account already, so nothing was changed. If you forgot the password, choose a new one here:\n\n{link}\n\nIf it was not you, there is nothing to do.',
  },
  reset: {
    subject: 'Choose a new password for {site}',
    body: 'Hello {name},\n\nsomebody, most likely you, asked for a new password at {site}. Choose one here:\n\n{link}\n\nThe link works once, for {duration}, and signs you out everywhere else. If it was not you, do nothing: your password stays as it is.',
  },
  'password-changed': {
    subject: 'Your password for {site} was changed',
    body: 'Hello {name},\n\nthe password of your account at {site} was changed at {time}, from {address} ({device}). Your other sessions have ended.\n\nIf it was not you, choose a new password at once:\n\n{link}',
  },
  'email-change': {
    subject: 'Confirm your new e-mail address for {site}',
    body: 'Somebody, most likely you, asked to use this address for an account at {site}. Open this page to confirm it:\n\n{link}\n\nThe link works once, for {duration}. If it was not you, do nothing.',
  },
  'email-changed': {
    subject: 'Your e-mail address at {site} was changed',
    body: 'Hello {name},\n\nyour account at {site} has another e-mail address since {time}; it was changed from {address} ({device}). This is the last letter to this address.\n\nIf it was not you, write to whoever runs the site at once.',
  },
  invitation: {
    subject: 'You are invited to {site}',
    body: 'You are invited to {site}. Choose a password here:\n\n{link}\n\nThe link works once, for {duration}. If you do not know the site, do nothing.',
  },
  'factor-added': {
    subject: 'A second factor was added to your account at {site}',
    body: 'Hello {name},\n\nat {time} a second factor was added to your account at {site}, from {address} ({device}).\n\nIf it was not you, choose a new password at once, and write to whoever runs the site:\n\n{link}',
  },
  'factor-removed': {
    subject: 'A second factor was removed from your account at {site}',
    body: 'Hello {name},\n\nat {time} a second factor was removed from your account at {site}, from {address} ({device}).\n\nIf it was not you, choose a new password at once, and write to whoever runs the site:\n\n{link}',
  },
  locked: {
    subject: 'Somebody tries to sign in to your account at {site}',
    body: 'Hello {name},\n\nthere were too many wrong passwords or codes for your account at {site}, the last one at {time} from {address} ({device}). We take no more from there for a while. Devices that you have signed in from before are not affected.\n\nIf it was you and you forgot the password, choose a new one:\n\n{link}',
  },
  'new-sign-in': {
    subject: 'New sign-in to your account at {site}',
    body: 'Hello {name},\n\nsomebody signed in to your account at {site} at {time}, from {address} ({device}), on a device that we have not seen before.\n\nIf it was you, there is nothing to do. If not, choose a new password at once:\n\n{link}',
  },
  'client-allowed': {
    subject: 'An application may now use your account at {site}',
    body: 'Hello {name},\n\nat {time} you allowed "{client}" to use your account at {site}, from {address} ({device}). We do not know who runs it, or it may go on while you are away.\n\nIf it was you, there is nothing to do. If not, withdraw it here, and choose a new password:\n\n{link}',
  },
  'key-created': {
    subject: 'Your account at {site} has a new API key',
    body: 'Hello {name},\n\nat {time} an API key called "{key}" was made for your account at {site}, from {address} ({device}). Whoever has it can act as you, as far as it allows.\n\nIf you know of it, there is nothing to do. If not, choose a new password, revoke the key, and write to whoever runs the site:\n\n{link}',
  },
  concerned: {
    subject: 'Something may concern your account at {site}',
    body: 'Hello {name},\n\nat {time} we noticed something that may concern your account at {site}, and have acted to protect it: you may have been signed out, and may not get in for a while.\n\nThen choose a new password, one that you use nowhere else:\n\n{link}\n\nWhoever runs the site can tell you more.',
  },
  incident: {
    subject: '[{severity}] {incident} ({site})',
    body: '{site} has noticed something that somebody should look at: {incident}.\n\nType: {type}\nSeverity: {severity}\nNoticed: {time}\n\nLook at it, and acknowledge it, with the id {id}.',
  },
  'incident-due': {
    subject: '[{severity}] {incident} ({site}): report due {due}',
    body: '{site} has noticed what may be a breach of personal data: {incident}.\n\nType: {type}\nSeverity: {severity}\nNoticed: {time}\n\nIf it is one, the authority has to be told until {due} (72 hours, GDPR Art. 33).\n\nLook at it, and acknowledge it, with the id {id}.',
  },
  'incident-escalated': {
    subject: '[{severity}] nobody has acknowledged: {incident} ({site})',
    body: '{site} has noticed something, and nobody has acknowledged it: {incident}.\n\nType: {type}\nSeverity: {severity}\nNoticed: {time}\n\nLook at it, and acknowledge it, with the id {id}.',
  },
  'incident-over': {
    subject: 'Resolved: {incident} ({site})',
    body: 'What {site} noticed at {time} is resolved: {incident}.\n\nIts id is {id}.',
  },
  incidents: {
    subject: '[{severity}] {count} incidents ({site})',
    body: '{site} has noticed {count} things within a short time, more than there are letters for. The worst is {severity}.\n\nLook at the list of incidents.',
  },
} as const satisfies Record<string, Words>

/** What we say in other languages ourselves: to those who run the house. */
const others: Readonly<Record<string, Partial<Record<LetterKind, Words>>>> = {
  de: {
    incident: {
      subject: '[{severity}] {incident} ({site})',
      body: '{site} hat etwas bemerkt, das sich jemand ansehen sollte: {incident}.\n\nArt: {type}\nSchwere: {severity}\nBemerkt: {time}\n\nBitte ansehen und bestätigen, unter der Nummer {id}.',
    },
    'incident-due': {
      subject: '[{severity}] {incident} ({site}): Meldung fällig {due}',
      body: '{site} hat bemerkt, was eine Verletzung des Schutzes personenbezogener Daten sein kann: {incident}.\n\nArt: {type}\nSchwere: {severity}\nBemerkt: {time}\n\nIst es eine, dann muss die Aufsichtsbehörde es bis {due} erfahren (72 Stunden, Art. 33 DSGVO).\n\nBitte ansehen und bestätigen, unter der Nummer {id}.',
    },
    'incident-escalated': {
      subject: '[{severity}] von niemandem bestätigt: {incident} ({site})',
      body: '{site} hat etwas bemerkt, und niemand hat es bestätigt: {incident}.\n\nArt: {type}\nSchwere: {severity}\nBemerkt: {time}\n\nBitte ansehen und bestätigen, unter der Nummer {id}.',
    },
    'incident-over': {
      subject: 'Erledigt: {incident} ({site})',
      body: 'Was {site} am {time} bemerkt hat, ist erledigt: {incident}.\n\nDie Nummer ist {id}.',
    },
    incidents: {
      subject: '[{severity}] {count} Vorfälle ({site})',
      body: '{site} hat in kurzer Zeit {count} Vorfälle bemerkt, mehr als einzelne Briefe sinnvoll sind. Der schwerste ist {severity}.\n\nBitte die Liste der Vorfälle ansehen.',
    },
  },
}

/** What the words of a letter name; other words for it may name no more. So no name of somebody's choice reaches a stranger. */
const factsOf = ({ subject, body }: Words): readonly string[] => [
  ...new Set(['site', ...`${subject} ${body}`.matchAll(braces).map(([, name]) => name ?? '')]),
]
const braces = /\{([^{}]*)\}/g

const words = (kind: LetterKind) =>
  z
    .strictObject({
      subject: z
        .string()
        .min(1)
        .max(200)
        .regex(/^[^\p{Cc}]*$/u, 'expected one line'),
      body: z.string().min(1).max(10_000),
    })
    .superRefine(({ subject, body }, context) => {
      const facts = factsOf(english[kind])
      for (const [field, text] of [
        ['subject', subject],
        ['body', body],
      ] as const) {
        const unknown = [...text.matchAll(braces)].map(([, name]) => name ?? '').find((name) => !facts.includes(name))
        if (unknown !== undefined)
          context.addIssue({
            code: 'custom',
            path: [field],
            message: `\`{${unknown}}\` is no fact of this letter; there are ${facts.map((name) => `{${name}}`).join(', ')}`,
          })
      }
      if (english[kind].body.includes('{link}') && !body.includes('{link}'))
        context.addIssue({
          code: 'custom',
          path: ['body'],
          message: 'expected `{link}`: without it the letter leads nowhere',
        })
    })

/** Other words for some letters, in one language. */
export const letterTexts = z.strictObject(
  Object.fromEntries((Object.keys(english) as LetterKind[]).map((kind) => [kind, words(kind).optional()])) as Record<
    LetterKind,
    z.ZodOptional<ReturnType<typeof words>>
  >,
)

/** A letter in the words that fit its reader best. */
export function compose(
  kind: LetterKind,
  given: LetterFacts,
  own: Readonly<Record<string, z.output<typeof letterTexts>>>,
  language: string | undefined,
): Letter {
  const inTheirs = language === undefined ? undefined : (own[language]?.[kind] ?? others[language]?.[kind])
  const { subject, body } = inTheirs ?? own['en']?.[kind] ?? english[kind]
  const told: Readonly<Record<string, string>> = {
    site: plain(given.site),
    name: plain(withoutDomains(given.name ?? '')),
    link: given.link ?? '',
    duration: durationText(given.minutes ?? 0, inTheirs === undefined ? 'en' : (language ?? 'en')),
    device: plain(withoutDomains(given.device ?? '')),
    address: plain(given.address ?? ''),
    time: plain(given.time ?? ''),
    client: plain(withoutDomains(given.client ?? '')),
    key: plain(withoutDomains(given.key ?? '')),
    incident: plain(withoutDomains(given.incident ?? '')),
    id: plain(given.id ?? ''),
    type: plain(given.type ?? ''),
    severity: plain(given.severity ?? ''),
    due: plain(given.due ?? ''),
    count: plain(given.count ?? ''),
  }
  // The space before a fact that is not known goes with it: `Hello,`.
  const fill = (text: string): string =>
    text.replaceAll(/( ?)\{(\w+)\}/g, (_, space: string, name: string) => (told[name] ? `${space}${told[name]}` : ''))
  const shownLink = markup(told['link'] ?? '')
  const text = fill(body).trim()
  const paragraphs = text.split(/\n{2,}/).map((paragraph) => {
    const shown = markup(paragraph).replaceAll('\n', '<br>')
    const linked = shownLink === '' ? shown : shown.replaceAll(shownLink, (to) => `<a href="${to}">${to}</a>`)
    return `<p>${linked}</p>`
  })
  return {
    subject: cut(fill(subject), 250),
    text: `${text}\n`,
    html: `<!doctype html>\n<html><body style="font-family: sans-serif; line-height: 1.5">\n${paragraphs.join('\n')}\n</body></html>\n`,
  }
}

/** One short line: no line break makes a header, and nothing that looks like an address becomes a link in a reader. */
function plain(text: string): string {
  const line = cut(text, 1_000)
    .replaceAll(/[\p{Cc}\p{Cf}\u2028\u2029]+/gu, ' ')
    .replaceAll(/\w+:\/\/\S*|\bwww\.\S+/gi, '…')
  return cut(line.trim(), 100)
}

/**
 * What strangers choose, a name or the name of a device, loses what mail programs make a link of without being asked:
 * `evil.example`. One may register, or try passwords, to have us send it.
 */
function withoutDomains(text: string): string {
  return cut(text, 1_000).replaceAll(/[\p{L}\p{N}-]+(?:\.[\p{L}\p{N}-]+)*\.\p{L}{2,}\S*/gu, '…')
}

/** At most so long, and never half a character at the end. */
function cut(text: string, lengthMax: number): string {
  return text.slice(0, lengthMax).toWellFormed()
}

function durationText(minutes: number, language: string): string {
  const [count, unit] =
    minutes >= 2_880 && minutes % 1_440 === 0
      ? [minutes / 1_440, 'day']
      : minutes >= 120 && minutes % 60 === 0
        ? [minutes / 60, 'hour']
        : [minutes, 'minute']
  return new Intl.NumberFormat(language, { style: 'unit', unit, unitDisplay: 'long' }).format(count)
}

function markup(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
}
