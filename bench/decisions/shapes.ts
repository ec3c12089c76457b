/** What a rule is about: a shape uses some of it. */
export interface Rule {
  readonly action: string
  readonly type: string
  readonly prefix: string
}

/** Who asks for what, and whether they may. */
export interface Question {
  readonly user: string
  readonly action: string
  readonly type: string
  readonly owner: string
  readonly path: string
  readonly allowed: boolean
}

export const shapes = ['role', 'owner', 'path'] as const
export type Shape = (typeof shapes)[number]

export const shapeTitles: Readonly<Record<Shape, string>> = {
  role: 'by action and resource type: `a7` on `t3` is allowed',
  owner: 'by owner, one rule for each resource type: whoever owns a `t3` may read it',
  path: 'by the beginning of a path: what lies below `/team-3/` is allowed',
}

export const sizes = [1, 100, 10_000] as const

const questionsMax = 500

/** As many rules, no two of which allow the same. All of them allow. */
export function rulesOf(shape: Shape, size: number): readonly Rule[] {
  const types = Math.ceil(Math.sqrt(size))
  return Array.from({ length: size }, (_, at) => ({
    action: shape === 'role' ? `a${at % types}` : 'read',
    type: shape === 'role' ? `t${Math.floor(at / types)}` : `t${at}`,
    prefix: `/team-${at}/`,
  }))
}

/** One user's questions, spread over all rules; every second is to be denied. */
export function questionsOf(shape: Shape, rules: readonly Rule[]): readonly Question[] {
  return Array.from({ length: questionsMax }, (_, at) => {
    const { action, type, prefix } = rules[(at * 7_919) % rules.length] as Rule
    const allowed = at % 2 === 0
    return {
      user: 'ann',
      action: allowed || shape !== 'role' ? action : 'a-none',
      type,
      owner: allowed || shape !== 'owner' ? 'ann' : 'bob',
      path: allowed || shape !== 'path' ? `${prefix}file-${at}` : `/none${prefix}file-${at}`,
      allowed,
    }
  })
}
