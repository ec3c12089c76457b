import { type InspectionOptions, inspectionOf } from '../../inspection/options.ts'
import { type Check, type Finding, fails, holds, listed, unknown } from '../check.ts'
import type { Facts } from '../facts.ts'
import { routeName } from '../routes.ts'

/** What is looked for in requests and answers. */
export const contentChecks: readonly Check[] = [
  {
    id: 'injection-detected',
    title: 'SQL, XSS, path and command injection are detected, and refused',
    area: 'validation',
    level: 'should',
    owasp: ['API8'],
    look: (facts) =>
      everywhere(
        facts,
        ({ injection }) => injection?.mode === 'block',
        'what is found is refused on every route',
        'what is found is let on, and remembered, on',
        "inspection: { injection: 'block' }, once `gatehouse inspect replay` says that no honest request would be refused",
      ),
  },
  {
    id: 'requests-to-elsewhere',
    title: 'Addresses in requests do not lead into the own network (SSRF)',
    area: 'validation',
    level: 'should',
    owasp: ['API7'],
    look: (facts) =>
      everywhere(
        facts,
        ({ injection }) => {
          const own = injection?.families?.ssrf
          return ((typeof own === 'string' ? own : own?.mode) ?? injection?.mode) === 'block'
        },
        'addresses that lead to private networks are refused on every route',
        'addresses that lead to private networks are let on, on',
        "inspection: { injection: { families: { ssrf: 'block' } } }",
      ),
  },
  {
    id: 'html-sanitised',
    title: 'HTML is sanitised to an allow list',
    area: 'validation',
    level: 'should',
    owasp: ['API8'],
    look: (facts) =>
      somewhere(facts, ({ html }) => html !== undefined && Object.keys(html).length > 0, 'markup is cut down on'),
  },
  {
    id: 'uploads',
    title: 'Uploads are checked by size, content and name',
    area: 'validation',
    level: 'should',
    owasp: ['API4', 'API8'],
    look: (facts) => somewhere(facts, ({ uploads }) => uploads !== undefined, 'files are looked into on'),
  },
  {
    id: 'moderation',
    title: 'Texts are moderated',
    area: 'validation',
    level: 'should',
    owasp: ['API6'],
    look: (facts) => somewhere(facts, ({ moderation }) => isOn(moderation?.mode), 'texts are moderated on'),
  },
  {
    id: 'prompts',
    title: 'Prompt injection is detected on text for models, and on tool results',
    area: 'validation',
    level: 'should',
    owasp: ['API10'],
    look: (facts) =>
      somewhere(
        facts,
        ({ prompts }) => isOn(prompts?.requests) || isOn(prompts?.answers),
        'texts for models are looked into on',
      ),
  },
  {
    id: 'personal-data-redacted',
    title: 'Personal data is found and redacted in requests and answers',
    area: 'data',
    level: 'should',
    owasp: ['API3'],
    look: (facts) =>
      somewhere(facts, ({ pii }) => isOn(pii?.requests) || isOn(pii?.answers), 'personal data is looked for on'),
  },
]

function isOn(mode: string | undefined): boolean {
  return mode !== undefined && mode !== 'off'
}

type Question = (inspection: InspectionOptions) => boolean

function everywhere(facts: Facts, is: Question, ifSo: string, ifNot: string, mend: string): Finding {
  const without = names(facts, (inspection) => !is(inspection))
  return without.length === 0 ? holds(ifSo) : fails(`${ifNot} ${listed(without)}`, mend)
}

/** Whether it is needed at all nobody knows but whoever wrote the API. */
function somewhere(facts: Facts, is: Question, what: string): Finding {
  const found = names(facts, is)
  return found.length === 0
    ? unknown('on no route; the API behind the house may do it')
    : holds(`${what} ${listed(found)}`)
}

function names({ settings }: Facts, is: Question): string[] {
  return settings.routes.filter(({ inspection }) => is(inspectionOf(settings.inspection, inspection))).map(routeName)
}
