import { type Kind, kinds, type Word } from './tokens.ts'

/** The longest operator of any dialect that begins at a place. */
export function operatorAt(text: string, at: number): Operator | undefined {
  const candidates = byFirst[text.charCodeAt(at)]
  if (candidates === undefined) return undefined
  for (const operator of candidates) if (text.startsWith(operator.text, at)) return operator
  return undefined
}

interface Operator {
  readonly text: string
  readonly kind: Kind
  readonly word: Word
}

const listed: readonly (readonly [Kind, string])[] = [
  [kinds.logic, '|| &&'],
  [
    kinds.compare,
    '= == != <> < > <= >= <=> !< !> ^= ~= := += -= *= /= ~* !~ !~* ~~ ~~* !~~ !~~* @> <@ @@ ?| ?& -> ->> #> #>> @? *= =*',
  ],
  [kinds.operator, '+ - * / % | & ^ ~ << >> ** :: |/ ||/'],
  [kinds.not, '!'],
]

const grouped: ReadonlyMap<number, readonly Operator[]> = Map.groupBy(
  listed
    .flatMap(([kind, texts]) =>
      texts.split(' ').map((text) => ({ text, kind, word: { text, kind, call: false, trait: undefined } })),
    )
    .sort((a, b) => b.text.length - a.text.length),
  ({ text }) => text.charCodeAt(0),
)

const byFirst: readonly (readonly Operator[] | undefined)[] = Array.from({ length: 128 }, (_, unit) =>
  grouped.get(unit),
)
