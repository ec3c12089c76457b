import { findData, openDataScreen } from '../../inspection/data-screen.ts'
import type { Field } from '../../inspection/field.ts'
import { roleOf } from '../../inspection/fields/role.ts'
import type { Finding } from '../../inspection/finding.ts'
import { htmlOptions } from '../../inspection/html/options.ts'
import { type Profile, type ProfileName, profiles } from '../../inspection/html/profiles.ts'
import { openSanitiser, type Sanitiser } from '../../inspection/html/sanitiser.ts'
import { openInjection } from '../../inspection/injection/injection.ts'
import type { InspectionOptions } from '../../inspection/options.ts'
import { openTokens } from '../../inspection/personal/tokens.ts'
import { openPromptCheck } from '../../inspection/prompts/check.ts'

/** What the gate does with texts, for texts that a host has from elsewhere: a queue, a model, a file. */
export interface ContentFunctions {
  /** The text without personal data and secrets, of the kinds and in the form that the configuration says. */
  redact(text: string): string
  /**
   * The text with each token of this house opened again, as what it stands for. Whoever may call this may read it: who that is, is
   * the host's own matter, `house.authorize(principal, 'personal-data:read')` for example.
   */
  reveal(text: string): string
  /** The text with no more markup than the profile allows: `none`, `basic`, `links`, or one of your own. */
  sanitise(profile: ProfileName | Profile, html: string): string
  /** What would be found in a text of that name: what, how sure, where in it, and by which rule. Never the text itself. */
  findings(text: string, name?: string): readonly Finding[]
}

export interface ContentParts {
  /** Those of the day. */
  readonly options: () => InspectionOptions
  /** 32 bytes: hashes and tokens are made with it. */
  readonly key: Uint8Array
}

export function contentFunctionsOf({ options, key }: ContentParts): ContentFunctions {
  const made = new WeakMap<InspectionOptions, Opened>()
  const sanitisers = new Map<ProfileName, Sanitiser>()
  const tokens = openTokens(key)

  return {
    redact: (text) => opened().data.redact(text).text,
    reveal: (text) => tokens.open(text),
    sanitise(profile, html) {
      if (typeof profile !== 'string') return openSanitiser(checked(profile))(html)
      if (!Object.hasOwn(profiles, profile))
        throw new TypeError(`expected the profile ${Object.keys(profiles).join(', ')}, or one of your own`)
      let sanitiser = sanitisers.get(profile)
      if (sanitiser === undefined) sanitisers.set(profile, (sanitiser = openSanitiser(profile)))
      return sanitiser(html)
    },
    findings(text, name = 'text') {
      const { injection, prompts, data } = opened()
      const fields: Field[] = [
        { place: { in: 'body', at: name }, name: name.toLowerCase(), text, role: roleOf(name, text) },
      ]
      return [
        ...(injection?.judge(fields).findings ?? []),
        ...(prompts?.judge(fields).findings ?? []),
        ...findData(fields, data),
      ]
    },
  }

  function opened(): Opened {
    const now = options()
    let found = made.get(now)
    if (found === undefined) made.set(now, (found = open(now, key)))
    return found
  }
}

/** A profile of one's own names nothing that runs, as in the configuration. */
function checked(profile: Profile): Profile {
  return htmlOptions.parse({ text: profile })['text'] as Profile
}

type Opened = ReturnType<typeof open>

/** Whatever is done about it in requests: whoever calls wants to know. */
function open({ injection, pii, secrets }: InspectionOptions, key: Uint8Array) {
  const asked = { pii: { ...pii, requests: 'redact' }, secrets: { ...secrets, requests: 'redact' } } as const
  const data = openDataScreen({ ...asked, of: 'requests', key })?.redactor
  if (data === undefined) throw new Error('expected a redactor where everything is to be redacted')
  return { injection: openInjection(injection), prompts: openPromptCheck({ requests: 'log' }), data }
}
