import type { Page } from './stationery.ts'
import type { AskedScope } from './views-consent.ts'

/** Scopes as a person reads them: those about the person in the words of the page, those of an API in the operator's. */
export function scopeTexts(
  { texts }: Page,
  asked: Readonly<Record<string, readonly string[]>>,
  known: ReadonlyMap<string, string>,
): readonly AskedScope[] {
  const names = [...new Set(Object.values(asked).flat())]
  return names.map((name) => {
    const key = aboutThePerson[name]
    return { name, text: key === undefined ? (known.get(name) ?? name) : texts.say(key) }
  })
}

const aboutThePerson: Readonly<
  Record<string, 'scopeOpenid' | 'scopeProfile' | 'scopeEmail' | 'scopeOfflineAccess' | undefined>
> = {
  openid: 'scopeOpenid',
  profile: 'scopeProfile',
  email: 'scopeEmail',
  offline_access: 'scopeOfflineAccess',
}
