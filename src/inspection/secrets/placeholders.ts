/** Whether a value only stands for one: a variable, a form to fill in, an example of a manual, stars. */
export function isPlaceholder(value: string): boolean {
  if (value.length < 3 || standing.test(value) || telling.test(value)) return true
  const first = value.charCodeAt(0)
  for (let at = 1; at < value.length; at++) if (value.charCodeAt(at) !== first) return isSequence(value)
  return true
}

/** Whether a value is a name rather than a secret: words of letters, joined as programs join them. */
export function isName(value: string): boolean {
  return words.test(value)
}

/** `${VAR}`, `$VAR`, `%VAR%`, `{{ var }}`, `<your-key>`, `[hidden]`, `process.env.X`, `os.environ[…]`, `…`. */
const standing =
  /^(?:[$%@#]?[{(<[]|\$[A-Za-z_]|%[A-Za-z_]{1,64}%|\*+$|X{3,4}-X|\.{2,}|--|\/\/|\\[{$]|process\.|os\.|env[.:([]|ENV\[|import\.meta|secrets?[.:/]|vault:|config\.|self\.|this\.|null\b|nil\b|undefined\b|none\b|true\b|false\b|string\b|number\b|boolean\b|https?:|file:|ref\+)|[}>\])]$|\$\{|\{\{|<[a-z]|\.\.\.|…|\*{3}|:\*{2}/i

const telling =
  /x{4,}|X{4}|example|sample|placeholder|change[-_]?(?:me|it|this)|replace|your|dummy|redacted|removed|hidden|masked|insert|todo|fixme|foobar|foo[-_]bar|lorem|not[-_]?a[-_]?(?:real|secret)|fake|some[-_]?(?:secret|token|key|pass|value)|my[-_]?(?:secret|token|password|key|api)|secret[-_]?(?:key|token|here|value)|enter[-_]|put[-_]|(?:^|[-_])here$|^(?:the|a|an)[-_]|^<|abcdef(?:gh|12)|^[a-z]{0,12}pass(?:word|wd)?[a-z]{0,12}\d{0,4}!?$|^(?:test|pass|password|passwd|pwd|secret|token|admin|root|user|guest|default|demo|qwerty|letmein|welcome|postgres|mysql|mongo|redis|rabbitmq|minio|elastic|changeit)(?:[-_]?(?:\d{1,4}|pass|password|secret|token|key|user|db))?!?$/i

const words = /^[A-Za-z]+(?:[-_./: ][A-Za-z]+)*$/

/** `12345678`, `abcdefgh`, `0123456789abcdef`: each character is the next of the one before, or begins anew. */
function isSequence(value: string): boolean {
  let steps = 0
  for (let at = 1; at < value.length; at++) {
    const step = value.charCodeAt(at) - value.charCodeAt(at - 1)
    if (step === 1 || step === -1 || step === 0) steps++
  }
  return steps >= (value.length - 1) * 0.75
}
