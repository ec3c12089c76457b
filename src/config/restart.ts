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
    ] as const
  ).filter((section) => JSON.stringify(now[section]) !== JSON.stringify(next[section]))
}
