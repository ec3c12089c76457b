import type { Settings } from './settings.ts'

/** Sections that open files, sockets or keys: a running house does not change them under its own feet. */
export function whatNeedsARestart(now: Settings, next: Settings): string[] {
  return (
    [
      'listen',
      'store',
      'tokens',
      'oauth',
      'identity',
      'keys',
      'services',
      'mail',
      'publicUrl',
      'pages',
      'bodyMemory',
      'shared',
      'audit',
      'incidents',
      'sandbox',
    ] as const
  ).filter((section) => written(now[section]) !== written(next[section]))
}

function written(section: unknown): string {
  return JSON.stringify(section, (_name, value: unknown) => {
    if (value instanceof Map || value instanceof Set) return [...value]
    return value instanceof RegExp ? String(value) : value
  })
}
