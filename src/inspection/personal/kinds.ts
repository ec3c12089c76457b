/** What a kind of personal data is, and what stands in its place. */
export interface KindFacts {
  /** What `label` writes in its place. */
  readonly label: string
  /** Whether it is looked for where nothing is said: harmful to leak, and found with few mistakes. */
  readonly usual: boolean
}

/** Kinds of personal data. Names of people, of firms and of places are none of them: those take a language model. */
export const personalKinds = {
  email: { label: '[EMAIL]', usual: true },
  phone: { label: 'XXX-XXX-XXXX', usual: true },
  card: { label: 'XXXX-XXXX-XXXX-XXXX', usual: true },
  ssn: { label: 'XXX-XX-XXXX', usual: true },
  iban: { label: '[IBAN]', usual: true },
  'bank-account': { label: '[BANK-ACCOUNT]', usual: true },
  'national-id': { label: '[NATIONAL-ID]', usual: true },
  'tax-id': { label: '[TAX-ID]', usual: true },
  'health-id': { label: '[HEALTH-ID]', usual: true },
  passport: { label: '[PASSPORT]', usual: true },
  'driving-licence': { label: '[DRIVING-LICENCE]', usual: true },
  'date-of-birth': { label: '[DATE-OF-BIRTH]', usual: true },
  address: { label: '[ADDRESS]', usual: false },
  age: { label: '[AGE]', usual: false },
  ip: { label: '[IP]', usual: false },
  mac: { label: '[MAC]', usual: false },
  url: { label: '[URL]', usual: false },
  wallet: { label: '[WALLET]', usual: false },
} as const satisfies Readonly<Record<string, KindFacts>>

export type PersonalKind = keyof typeof personalKinds

export const personalKindNames = Object.keys(personalKinds) as [PersonalKind, ...PersonalKind[]]

export const usualKinds: readonly PersonalKind[] = personalKindNames.filter((kind) => personalKinds[kind].usual)
