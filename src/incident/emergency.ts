import type { CutFilter, Step } from './playbook/step.ts'

/** What is to end at once, and why. */
export interface Emergency {
  readonly filter: CutFilter
  /** API keys as well. */
  readonly keys: boolean
  readonly reason: string
}

/** The name of its runs: no playbook of a configuration can be called so. */
export const emergencyName = 'EMERGENCY'

/**
 * What an emergency does, in this order: what makes credentials void comes first, and what takes longer with many rows last. Where
 * everything is void anyway the signing keys go too, so that nobody goes on with a key that was stolen. All but the last is done before
 * whoever asked is answered.
 */
export function emergencySteps({ filter, keys }: Emergency): readonly Step[] {
  return [
    { do: 'cut-off', filter },
    { do: 'signing-keys.rotate', ...(filter.kind === 'all' ? { void: true } : {}) },
    { do: 'changes.freeze' },
    { do: 'audit.snapshot' },
    ...(keys ? [{ do: 'keys.sweep', filter } as const] : []),
    { do: 'sessions.sweep', filter },
  ]
}
