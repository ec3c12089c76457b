import type { PolicyView } from '../authz/policy/book.ts'
import { policyOf } from '../endpoints/api/policies.ts'
import { PolicyAdministration, type PolicyAuthor } from '../endpoints/desk/policies.ts'
import type { House } from '../house.ts'
import type { Refusal } from '../kernel/error.ts'
import { adminEvent } from './admin-event.ts'
import { type Command, readArgs, readVerb, type Terminal, told, type VerbShape } from './command.ts'
import { casesBeside, onPaper, policyIn } from './policy-on-paper.ts'
import { houseOptions, visit } from './visit.ts'

const usage = `usage: gatehouse policy check FILE
       gatehouse policy explain FILE REQUEST
       gatehouse policy test FILE [CASES]
       gatehouse policy replay FILE RECORDING [--against OLD]
       gatehouse policy list [--json]
       gatehouse policy show NAME [--trial]
       gatehouse policy put NAME FILE [--expect FINGERPRINT]
       gatehouse policy try NAME FILE [--expect FINGERPRINT]
       gatehouse policy adopt NAME [--expect FINGERPRINT]
       gatehouse policy end-trial|remove NAME
                 [--config FILE] [--data DIR]

FILE is a policy in JSON, as docs/policies.md describes it. \`explain\` decides the request in the JSON file REQUEST
({ "subject": {…}, "resource": {…}, "action": {…}, "environment": {…} }) and says which rule decided and why; exit 1
for a deny. \`test\` decides each of the CASES, a JSON list of { "name", "request", "expect": "permit" | "deny", "rule"? },
and tells those that come out otherwise; exit 1 where there are any. Left out, CASES stand beside the policy: of
documents.policy.json in documents.cases.json. \`replay\` decides each line of a RECORDING, a request
each, and counts what every rule came to; against an OLD policy it tells the lines that are decided otherwise, exit 1 where
there are any.

The others are about policies of the house. \`put\` says what decides from now on where a policy is \`managed\`; \`try\` lets a
document be asked beside the one of the day, and \`adopt\` puts it in its place. With \`--expect\` nothing is done where
another document than that is there.`

export const command: Command = async (args, terminal) => {
  const { values, positionals } = readArgs(
    args,
    {
      ...houseOptions,
      help: { type: 'boolean', short: 'h' },
      against: { type: 'string' },
      json: { type: 'boolean' },
      trial: { type: 'boolean' },
      expect: { type: 'string' },
    },
    usage,
  )
  if (values.help === true) {
    terminal.out(usage)
    return true
  }
  const [verb, ...operands] = readVerb('policy', verbs, { values, positionals }, usage)
  const [first = '', second = ''] = operands
  return act(verb, first, second, values, terminal)
}

type Verb = 'check' | 'explain' | 'test' | 'replay' | 'list' | 'show' | 'put' | 'try' | 'adopt' | 'end-trial' | 'remove'

/** What each wants: names and files, and options beside those by which the house is found. */
// biome-ignore format: a table
const verbs: Readonly<Record<Verb, VerbShape>> = {
  check:       { operands: 1, options: [] },
  explain:     { operands: 2, options: [] },
  test:        { operands: 1, options: [], optional: 1 },
  replay:      { operands: 2, options: ['against'] },
  list:        { operands: 0, options: ['json'] },
  show:        { operands: 1, options: ['trial'] },
  put:         { operands: 2, options: ['expect'] },
  try:         { operands: 2, options: ['expect'] },
  adopt:       { operands: 1, options: ['expect'] },
  'end-trial': { operands: 1, options: [] },
  remove:      { operands: 1, options: [] },
}

interface Values {
  readonly config?: string | undefined
  readonly data: string
  readonly against?: string | undefined
  readonly json?: boolean | undefined
  readonly trial?: boolean | undefined
  readonly expect?: string | undefined
}

/** What a call comes to. A file is read, and what is wrong with it is told, before anything is opened. */
async function act(verb: Verb, first: string, second: string, values: Values, terminal: Terminal): Promise<boolean> {
  const { expect } = values
  const change = (
    work: (policies: PolicyAdministration, author: PolicyAuthor) => Promise<PolicyView | Refusal>,
  ): Promise<boolean> =>
    visit(values, terminal, async (house) =>
      told(await work(new PolicyAdministration(house), operator(house, terminal)), terminal, `${verb} ${first}`),
    )
  switch (verb) {
    case 'check':
      return onPaper.check(terminal, first)
    case 'explain':
      return onPaper.explain(terminal, first, second)
    case 'test':
      return onPaper.test(terminal, first, second === '' ? casesBeside(first) : second)
    case 'replay':
      return onPaper.replay(terminal, first, second, values.against)
    case 'list':
      return visit(values, terminal, (house) => list(house, terminal, values.json === true))
    case 'show':
      return visit(values, terminal, (house) => show(house, terminal, first, values.trial === true))
    case 'put':
    case 'try': {
      const document: unknown = JSON.parse(policyIn(second).text)
      return change((policies, author) =>
        verb === 'put'
          ? policies.put(author, first, document, expect)
          : policies.tryOut(author, first, document, expect),
      )
    }
    case 'adopt':
      return change((policies, author) => policies.adopt(author, first, expect))
    case 'end-trial':
      return change((policies, author) => policies.endTrial(author, first))
    case 'remove':
      return change((policies, author) => policies.remove(author, first))
  }
}

async function list(house: House, terminal: Terminal, asJson: boolean): Promise<boolean> {
  const all = await new PolicyAdministration(house).list()
  if (asJson) terminal.out(JSON.stringify(all.map(policyOf), null, 2))
  else
    for (const { name, origin, document, trial } of all) {
      const state =
        document === undefined
          ? 'unwritten'
          : document.ruleCount === undefined
            ? 'unreadable'
            : `${document.ruleCount} ${document.ruleCount === 1 ? 'rule' : 'rules'}`
      terminal.out([name, origin, state, trial === undefined ? '' : 'trial'].join('\t').trimEnd())
    }
  return true
}

/** The document as it was written, for a file. */
async function show(house: House, terminal: Terminal, name: string, ofTrial: boolean): Promise<boolean> {
  const view = await new PolicyAdministration(house).show(name)
  const document = ofTrial ? view?.trial : view?.document
  if (document === undefined) {
    const what = ofTrial ? 'nothing is tried out beside it' : 'it has no document'
    terminal.err(view === undefined ? `no policy is called \`${name}\`` : what)
    return false
  }
  terminal.out(document.text)
  return true
}

/** Whoever has the machine has all of it. */
function operator({ audit }: House, terminal: Terminal): PolicyAuthor {
  return {
    note: (trx, action, policy, details) =>
      audit.enroll(trx, {
        ...adminEvent(action, '', terminal, details),
        resource: { id: policy, type: 'policy' },
      }),
  }
}
