import type { Area, Check, Owasp } from '../check.ts'

/**
 * What holds whatever is configured: there is no key by which it could be switched off, and each release is tested for it. These
 * lines look at nothing of a house, and say so.
 */
// biome-ignore format: a table
const constant: readonly (readonly [id: string, title: string, area: Area, owasp: readonly Owasp[]])[] = [
  ['same-answer',         'A failed sign-in says the same, and takes the same time, whether there is such an account or not', 'authentication', ['API2']],
  ['single-use',          'Links, codes and states are random, hashed, good once, and end',                                   'authentication', ['API2']],
  ['sessions-revocable',  'Sessions are listed and ended one by one, or all',                                                 'authentication', ['API2']],
  ['tokens-revocable',    'A token that was taken back is refused on the next request here, and within a second elsewhere',   'authentication', ['API2']],
  ['reuse-ends-family',   'A refresh token that comes twice ends its family, and is an incident',                            'authentication', ['API2']],
  ['tokens-strict',       'The algorithm is chosen by issuer; `none`, foreign issuers and missing ends are refused (RFC 8725)', 'authentication', ['API2']],
  ['keys-hashed',         'API keys have 256 bits, are shown once, and kept as a keyed hash',                                 'authentication', ['API2']],
  ['service-tokens',      'A token of a service is good for one target, and five minutes',                                   'authentication', ['API2', 'API10']],
  ['replays-refused',     'A signed request, a proof of possession or an assertion comes once',                              'authentication', ['API2', 'API6']],
  ['pkce',                'Authorization codes demand PKCE with S256, and redirect addresses match whole',                   'authentication', ['API2']],
  ['default-deny',        'An unknown role grants nothing, and a policy that fails denies',                                  'authorisation',  ['API1', 'API5']],
  ['fields-refused',      'The house’s own endpoints refuse fields that are not the caller’s to say',                        'validation',     ['API3']],
  ['framing-strict',      'Ambiguous framing, doubled headers and disguised paths are refused',                              'validation',     ['API8']],
  ['limit-headers',       'Answers say what is left of a limit, and a 429 when to come again',                               'limits',         ['API4']],
  ['request-ids',         'Every request has an id, in answers, logs, the record and upstream',                              'monitoring',     ['API8']],
  ['attempts-remembered', 'Sign-ins, refusals, changes and accesses are remembered with who, where and what came of it',     'monitoring',     ['API8']],
  ['record-chained',      'Each event covers the one before it by its hash',                                                 'monitoring',     ['API8']],
  ['logs-redacted',       'Tokens, passwords and keys are struck out of logs',                                               'data',           ['API8']],
  ['fetches-bounded',     'What the house fetches for others is https, outside of private networks, small and in time',      'data',           ['API7', 'API10']],
  ['inventory',           'Every endpoint of the house is a row of one table, with its permission and its limit',            'development',    ['API9']],
]

export const builtInChecks: readonly Check[] = constant.map(([id, title, area, owasp]) => ({
  id,
  title,
  area,
  level: 'must',
  owasp,
  look: () => ({ outcome: 'holds', found: 'whatever is configured' }),
}))
