import { compileAllowed } from '../allowed.ts'
import type { Field } from '../field.ts'
import type { Finding } from '../finding.ts'
import { harmless, surestFirst, together, type Verdict, worthRemembering } from '../verdict.ts'
import { type Family, families } from './detector.ts'
import { detectors } from './detectors.ts'
import { HarmlessTexts } from './harmless-texts.ts'
import { judge } from './judge.ts'
import type { InjectionOptions } from './options.ts'

/** Looks for texts that would run as code where they are put together with others (CWE-74). */
export interface Injection {
  /** Whether anything may be refused: where nothing is, looking changes nothing for the caller. */
  readonly blocks: boolean
  /** Of a field that may hold markup, because it is cut down to what may stay, markup is no sign. */
  judge(fields: Iterable<Field>, mayHoldMarkup?: (field: Field) => boolean): Verdict
}

/** Undefined where nothing is looked for. */
export function openInjection(options: InjectionOptions = {}): Injection | undefined {
  const { mode = 'log', threshold = usualThreshold, allow = [] } = options
  const stances = stancesOf(options, mode)
  const wanted = detectors.filter(({ family }) => stances[family].mode !== 'off')
  if (wanted.length === 0) return undefined
  const besideMarkup = wanted.filter(({ family }) => family !== 'xss')
  const isAllowed = compileAllowed(allow)
  const known = new HarmlessTexts()
  return {
    blocks: Object.values(stances).some((stance) => stance.mode === 'block'),
    judge(fields, mayHoldMarkup = never) {
      let findings: Finding[] | undefined
      let refused: Finding[] | undefined
      let score = 0
      for (const field of fields) {
        if (known.has(field)) continue
        const asked = mayHoldMarkup(field) ? besideMarkup : wanted
        const all = judge(field, asked)
        if (all.length === 0) {
          if (asked === wanted) known.add(field)
          continue
        }
        const found = all.filter(({ rule, place }) => !isAllowed(rule, place))
        if (found.length === 0) continue
        const sure = together(found)
        if (sure < worthRemembering) continue
        findings ??= []
        findings.push(...found)
        score = Math.max(score, sure)
        const blocked = blockedOf(found)
        if (blocked.length > 0) (refused ??= []).push(...blocked)
      }
      if (findings === undefined) return harmless
      return { findings: surestFirst(findings), score, refused: refused === undefined ? [] : surestFirst(refused) }
    },
  }

  /** Families with a threshold of their own are asked alone; the others together. */
  function blockedOf(found: readonly Finding[]): readonly Finding[] {
    const blocking = found.filter(({ what }) => stances[what as Family].mode === 'block')
    if (blocking.length === 0) return blocking
    const common = blocking.filter(({ what }) => stances[what as Family].threshold === undefined)
    const refused = together(common) >= threshold ? [...common] : []
    for (const [family, own] of Map.groupBy(blocking, ({ what }) => what as Family)) {
      const { threshold: ownThreshold } = stances[family]
      if (ownThreshold !== undefined && together(own) >= ownThreshold) refused.push(...own)
    }
    return refused
  }
}

const never = (): boolean => false

/** From how sure on something is done, where nobody says otherwise: at what is rather an attack than not. */
export const usualThreshold = 0.5

interface Stance {
  readonly mode: 'off' | 'log' | 'block'
  readonly threshold: number | undefined
}

function stancesOf({ families: own = {} }: InjectionOptions, mode: Stance['mode']): Readonly<Record<Family, Stance>> {
  const stances = {} as Record<Family, Stance>
  for (const family of Object.keys(families) as Family[]) {
    const said = own[family]
    stances[family] =
      typeof said === 'string'
        ? { mode: said, threshold: undefined }
        : { mode: said?.mode ?? mode, threshold: said?.threshold }
  }
  return stances
}
