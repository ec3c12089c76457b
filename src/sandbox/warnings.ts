import type { SandboxOptions } from './options.ts'
import { essentialWalls, type Wall, type WallState } from './walls/wall.ts'

type Wanted = Pick<SandboxOptions, 'require' | 'without'>

/** Walls without which no code is run, and that do not stand. */
export function lackingWalls({ without }: Wanted, states: readonly WallState[]): readonly WallState[] {
  return missing(
    states,
    essentialWalls.filter((wall) => !without.includes(wall)),
  )
}

/** Walls without which the operator does not want to start at all, and that do not stand. */
export function demandedWalls({ require: demanded }: Wanted, states: readonly WallState[]): readonly WallState[] {
  return missing(states, demanded)
}

/** Why no code is run, and what to do. */
export function closedSentence(lacking: readonly WallState[]): string {
  const names = lacking.map(({ wall }) => `'${wall}'`).join(', ')
  return `no code is run here, since walls are missing: ${listedWalls(lacking)}; or answer for it by \`sandbox.without: [${names}]\``
}

/** Why the house does not start. */
export function demandedSentence(demanded: readonly WallState[]): string {
  return `sandbox.require: expected walls that do not stand here: ${listedWalls(demanded)}`
}

/** What an operator should know of the walls, and nobody is stopped by. */
export function wallWarnings(options: Wanted, states: readonly WallState[]): string[] {
  const { without } = options
  const fallen = missing(states, without)
  const [demanded, lacking] = [demandedWalls(options, states), lackingWalls(options, states)]
  const said = new Set([...demanded, ...lacking, ...fallen])
  const others = states.filter((state) => !state.stands && !said.has(state))
  return [
    ...(demanded.length > 0 ? [demandedSentence(demanded)] : []),
    ...(lacking.length > 0 ? [closedSentence(lacking)] : []),
    ...(fallen.length > 0
      ? [`code of users runs without walls, since \`sandbox.without\` says so: ${listedWalls(fallen)}`]
      : []),
    ...(others.length > 0 ? [`walls of the sandbox do not stand: ${listedWalls(others)}`] : []),
  ]
}

/** `files, network (install bubblewrap)`: what is missing, and how it is had, each said once. */
export function listedWalls(states: readonly WallState[]): string {
  const remedies = Map.groupBy(states, ({ by }) => by)
  return Array.from(remedies, ([by, of]) => `${of.map(({ wall }) => `\`${wall}\``).join(', ')} (${by})`).join('; ')
}

function missing(states: readonly WallState[], wanted: readonly Wall[]): readonly WallState[] {
  return states.filter(({ wall, stands }) => !stands && wanted.includes(wall))
}
