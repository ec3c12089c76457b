import type { RuleSign } from './rules.ts'
import type { Channel } from './sign.ts'

/** Marks by which models tell who speaks: the chat templates of the larger families, and what people write to look like them. */
// biome-ignore format: a table
const literals: readonly (readonly [text: string, rule: string, confidence: number])[] = [
  ['<|im_start|>',           'delimiter/chatml',    0.75],
  ['<|im_end|>',             'delimiter/chatml',    0.6],
  ['<|im_sep|>',             'delimiter/chatml',    0.6],
  ['<|system|>',             'delimiter/role-tag',  0.7],
  ['<|user|>',               'delimiter/role-tag',  0.5],
  ['<|assistant|>',          'delimiter/role-tag',  0.5],
  ['<|endoftext|>',          'delimiter/end',       0.5],
  ['<|endofprompt|>',        'delimiter/end',       0.6],
  ['<|start_header_id|>',    'delimiter/llama',     0.75],
  ['<|eot_id|>',             'delimiter/llama',     0.6],
  ['<<sys>>',                'delimiter/llama',     0.75],
  ['[inst]',                 'delimiter/llama',     0.45],
  ['[/inst]',                'delimiter/llama',     0.6],
  ['<|header_start|>',       'delimiter/llama',     0.75],
  ['<|start_of_turn_token|>', 'delimiter/command',  0.7],
  ['<|system_token|>',       'delimiter/command',   0.75],
  ['<|start_of_role|>',      'delimiter/granite',   0.75],
  ['<start_of_turn>',        'delimiter/gemma',     0.7],
  ['<end_of_turn>',          'delimiter/gemma',     0.6],
  ['<|start|>',              'delimiter/harmony',   0.5],
  ['<|channel|>',            'delimiter/harmony',   0.6],
  ['<\uff5cuser\uff5c>',     'delimiter/deepseek',  0.7],
  ['### system:',            'delimiter/heading',   0.45],
  ['### instruction:',       'delimiter/heading',   0.3],
  ['### response:',          'delimiter/heading',   0.25],
  ['</system>',              'delimiter/tag',       0.4],
  ['<system>',               'delimiter/tag',       0.35],
  ['</system_prompt>',       'delimiter/tag',       0.5],
  ['</user_input>',          'delimiter/tag',       0.5],
  ['</untrusted',            'delimiter/tag',       0.45],
  ['</tool_result>',         'delimiter/tag',       0.5],
  ['</function_results>',    'delimiter/tag',       0.6],
  ['<function_calls>',       'delimiter/tag',       0.5],
  ['<tool_call>',            'delimiter/tag',       0.45],
  ['<system-reminder>',      'delimiter/tag',       0.6],
  ['<important>',            'delimiter/tag',       0.25],
  ['[system message]',       'delimiter/bracket',   0.5],
  ['[system](#',             'delimiter/bracket',   0.75],
  ['[assistant](#',          'delimiter/bracket',   0.6],
  ['[admin]',                'delimiter/bracket',   0.25],
  ['end of system prompt',   'delimiter/border',    0.6],
  ['end of prompt',          'delimiter/border',    0.4],
  ['begin new instructions', 'delimiter/border',    0.75],
  ['new system prompt',      'delimiter/border',    0.5],
  ['system override',        'delimiter/border',    0.55],
  ['[[system',               'delimiter/bracket',   0.4],
]

/** Marks that end the data they stand in, and turns of a talk that nobody had. */
export function delimiterSigns(text: string, channel: Channel): readonly RuleSign[] {
  let found: Map<string, RuleSign> | undefined
  if (text.includes('<') || text.includes('[') || text.includes('#') || /system|prompt|instructions/i.test(text)) {
    const lower = text.toLowerCase()
    for (const [literal, rule, confidence] of literals) {
      const at = lower.indexOf(literal)
      if (at < 0) continue
      // Who writes about templates quotes their marks.
      const isQuoted = lower[at - 1] === '`' || lower[at - 1] === "'" || lower[at - 1] === '"'
      const sure = isQuoted
        ? confidence * 0.4
        : channel === 'tool-result'
          ? Math.min(0.9, confidence * 1.1)
          : confidence
      const before = found?.get(rule)
      if (before !== undefined && before.confidence >= sure) continue
      found ??= new Map()
      // A text that grows with its lower case is found all the same, a little beside its place.
      found.set(rule, {
        what: 'delimiter',
        rule,
        confidence: sure,
        start: Math.min(at, text.length),
        end: Math.min(at + literal.length, text.length),
      })
    }
  }
  const talk = turnSign(text, channel)
  if (talk === undefined) return found === undefined ? none : [...found.values()]
  return [...(found?.values() ?? []), talk]
}

const none: readonly RuleSign[] = []

const turn =
  /^[ \t>#*[]{0,4}(?:(system|developer)|(user|human|q|question)|(assistant|ai|bot|chatgpt|gpt|a|answer|model|claude))\b[\])*]{0,3} ?:/iy

/** A talk in a text: with many questions and answers it teaches a model what to answer (“Many-shot Jailbreaking”, 2024). */
function turnSign(text: string, channel: Channel): RuleSign | undefined {
  let asked = 0
  let answered = 0
  let first = -1
  let system = -1
  for (let at = 0; at >= 0 && at < text.length; ) {
    turn.lastIndex = at
    const found = turn.exec(text)
    if (found !== null) {
      if (found[1] !== undefined && at > 0) system = at
      if (found[2] !== undefined) asked++
      if (found[3] !== undefined) answered++
      if (first < 0) first = at
    }
    const next = text.indexOf('\n', at)
    at = next < 0 ? -1 : next + 1
  }
  if (system >= 0)
    return {
      what: 'delimiter',
      rule: 'delimiter/system-turn',
      confidence: channel === 'tool-result' ? 0.5 : 0.3,
      start: system,
      end: system + 7,
    }
  const turns = Math.min(asked, answered)
  if (turns < 2) return undefined
  return {
    what: 'many-shot',
    rule: 'many-shot/turns',
    confidence: turns >= 12 ? 0.5 : turns >= 5 ? 0.25 : 0.1,
    start: first,
    end: text.length,
  }
}
