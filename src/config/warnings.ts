import { contentWarnings } from './content-mistakes.ts'
import type { Settings } from './settings.ts'

/** What an operator should know, and nobody is stopped by. */
export function warningsOf(settings: Settings): string[] {
  const warnings: string[] = []
  if (settings.limits === false) warnings.push('all limits are off')
  if (settings.cors === undefined) warnings.push('no CORS origins: pages of other origins cannot read answers')
  if (settings.routes.length === 0) warnings.push('no routes: everything but the house’s own endpoints is closed')
  const managed = new Set(settings.policies.flatMap(({ name, document }) => (document === undefined ? [name] : [])))
  for (const { path, access, policy = [], owner } of settings.routes)
    if (access === 'authenticated' && !owner && policy.length > 0 && policy.every((name) => managed.has(name)))
      warnings.push(`\`${path}\` demands no permission: whoever may manage policies says who comes there`)
  const areas = new Set(settings.routes.flatMap(({ area }) => area ?? []))
  const ofRoles = new Set(Object.values(settings.roles).flatMap(({ scope }) => scope ?? []))
  for (const [name, { scope = 'global' }] of Object.entries(settings.roles))
    if (scope !== 'global' && !areas.has(scope))
      warnings.push(`the role \`${name}\` counts in \`${scope}\`, and no route is in that area`)
  for (const area of areas)
    if (!ofRoles.has(area))
      warnings.push(`routes are in the area \`${area}\`, and no role of the configuration counts there alone`)
  return [...warnings, ...contentWarnings(settings)]
}
