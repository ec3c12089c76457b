/** Who holds how many of something: connections, by address. */
export interface Crowd {
  /** Holds one more for somebody. Answers what gives it back, once; undefined where they hold all that they may. */
  hold(key: string): (() => void) | undefined
}

/** Counts in the memory of this thread. It knows as many as hold something, and forgets who holds nothing. */
export function openCrowd(max: number): Crowd {
  const held = new Map<string, number>()
  return {
    hold(key) {
      const before = held.get(key) ?? 0
      if (before >= max) return undefined
      held.set(key, before + 1)
      let holds = true
      return () => {
        if (!holds) return
        holds = false
        const left = (held.get(key) ?? 1) - 1
        if (left > 0) held.set(key, left)
        else held.delete(key)
      }
    },
  }
}
