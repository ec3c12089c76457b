import { areas, type Finding } from './check.ts'
import type { Posture, PostureLine } from './posture.ts'

/** The checklist for people: by area, what fails with what mends it. */
export function postureText(
  { lines, counts, sound }: Posture,
  { colour, onlyFailing }: { readonly colour: boolean; readonly onlyFailing: boolean },
): string {
  const paint = (code: number, text: string): string => (colour ? `\u001b[${code}m${text}\u001b[0m` : text)
  const shown = onlyFailing ? lines.filter(({ outcome }) => outcome === 'fails') : lines
  const parts = areas.flatMap((area) => {
    const own = shown.filter((line) => line.area === area)
    return own.length === 0 ? [] : [[paint(1, area), ...own.flatMap((line) => lineText(line, paint))].join('\n')]
  })
  const failing = lines.filter(({ outcome }) => outcome === 'fails')
  const musts = failing.filter(({ level }) => level === 'must').length
  const verdict = sound
    ? 'every `must` holds, as far as it can be known'
    : `${musts} ${musts === 1 ? '`must` does' : '`must`s do'} not hold`
  return [
    ...parts,
    `${counts.holds} hold, ${counts.fails} do not, ${counts.unknown} cannot be known from here; ${paint(sound ? 32 : 31, verdict)}`,
  ].join('\n\n')
}

function lineText(
  { id, title, level, outcome, found, mend, rows, owasp }: PostureLine,
  paint: (code: number, text: string) => string,
): readonly string[] {
  const isMust = level === 'must'
  const mark = paint(outcome === 'fails' && !isMust ? 33 : codes[outcome], marks[outcome])
  const about = [...rows, ...owasp].join(' ')
  return [
    `  ${mark} ${title}${outcome === 'fails' ? ` (${level})` : ''}: ${found}`,
    ...(outcome === 'fails' && mend !== undefined ? [`          mend: ${mend}`] : []),
    ...(outcome === 'fails' ? [`          ${paint(2, [id, about].filter((one) => one !== '').join(' · '))}`] : []),
  ]
}

const marks: Readonly<Record<Finding['outcome'], string>> = { holds: 'holds  ', fails: 'FAILS  ', unknown: 'unknown' }
const codes: Readonly<Record<Finding['outcome'], number>> = { holds: 32, fails: 31, unknown: 2 }
