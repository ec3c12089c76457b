import { inspectionOf } from '../inspection/options.ts'
import type { Mistake, Settings } from './settings.ts'

/** What is asked of routes that the house cannot do there: it does not see the answers of a host, nor into a connection that is open. */
export function contentMistakes({ routes, inspection, bodyMax, bodyMemory }: Partial<Settings>): Mistake[] {
  const mistakes: Mistake[] = []
  for (const [index, route] of (routes ?? []).entries()) {
    if (route === undefined) continue
    const at = `routes[${index}]`
    const blind = whyBlind(route)
    if (blind !== undefined) {
      const said = [
        ...answersScreened(route.inspection ?? {}).map((part) => `inspection.${part}.answers`),
        ...(route.answers === undefined ? [] : ['answers']),
      ]
      for (const member of said)
        mistakes.push({
          path: `${at}.${member}`,
          message: `looks at answers, and ${blind}${member === 'answers' ? '' : "; say `{ requests: '…' }` for requests alone"}`,
        })
    }
    const looked = inspectionOf(inspection ?? {}, route.inspection)
    if (bodyMemory !== undefined && Math.min(looked.bodyMax ?? 0, route.bodyMax ?? bodyMax ?? 0) > bodyMemory)
      mistakes.push({
        path: `${at}.inspection.bodyMax`,
        message: 'expected no more than `bodyMemory`, which all bodies share that are read whole',
      })
  }
  return mistakes
}

/** Routes whose answers leave unseen although the house says otherwise, and files that no body has room for. */
export function contentWarnings({ routes, inspection, bodyMax }: Settings): string[] {
  const warnings: string[] = []
  for (const route of routes) {
    const { path } = route
    const looked = inspectionOf(inspection, route.inspection)
    const blind = whyBlind(route)
    const parts = answersScreened(looked)
    if (blind !== undefined && parts.length > 0)
      warnings.push(`the answers of \`${path}\` are not looked into (${parts.join(', ')}): ${blind}`)
    const max = looked.uploads?.max
    const room = Math.min(looked.bodyMax ?? Number.POSITIVE_INFINITY, route.bodyMax ?? bodyMax)
    if (max !== undefined && max > room)
      warnings.push(`\`${path}\` takes files of ${max} bytes in bodies of ${room}: raise \`bodyMax\``)
  }
  return warnings
}

interface Screening {
  readonly pii?: Screened | undefined
  readonly secrets?: Screened | undefined
  readonly prompts?: Screened | undefined
}

interface Screened {
  readonly answers?: string | undefined
}

function answersScreened(inspection: Screening): readonly string[] {
  return (['pii', 'secrets', 'prompts'] as const).filter((part) => (inspection[part]?.answers ?? 'off') !== 'off')
}

function whyBlind({
  to,
  websocket,
}: {
  readonly to?: string | undefined
  readonly websocket?: boolean | undefined
}): string | undefined {
  if (to === undefined) return 'the route has no `to`: the host that the house is embedded in answers it'
  return websocket === true ? 'what goes over a WebSocket is not looked into' : undefined
}
