import { addresses } from './addresses.ts'
import { administration } from './administration.ts'
import { audit } from './audit.ts'
import { auditProofs } from './audit-proofs.ts'
import { clients } from './clients.ts'
import { decisions } from './decisions.ts'
import { incidents } from './incidents.ts'
import { keys } from './keys.ts'
import { monitoring } from './monitoring.ts'
import { people } from './people.ts'
import { playbooks } from './playbooks.ts'
import { policies } from './policies.ts'
import { posture } from './posture.ts'
import { roles } from './roles.ts'
import { sandbox } from './sandbox.ts'
import { services } from './services.ts'
import type { Endpoint } from './shapes.ts'

/** Every endpoint of the house's own API. */
export const contract = {
  ...people,
  ...administration,
  ...clients,
  ...keys,
  ...services,
  ...roles,
  ...decisions,
  ...policies,
  ...addresses,
  ...audit,
  ...auditProofs,
  ...incidents,
  ...playbooks,
  ...monitoring,
  ...posture,
  ...sandbox,
  health: {
    method: 'GET',
    path: '/health',
    summary: 'Whether this node can serve',
    access: 'public',
    limit: 'health',
    whileDraining: true,
  },
  live: {
    method: 'GET',
    path: '/health/live',
    summary: 'Whether this process runs',
    access: 'public',
    limit: 'health',
    whileDraining: true,
  },
  ready: {
    method: 'GET',
    path: '/health/ready',
    summary: 'Whether to send this node requests',
    access: 'public',
    limit: 'health',
    whileDraining: true,
  },
  metrics: {
    method: 'GET',
    path: '/metrics',
    summary: 'Prometheus metrics, for loopback and configured addresses',
    access: 'public',
    limit: undefined,
    whileDraining: true,
  },
  problem: {
    method: 'GET',
    path: '/.well-known/gatehouse/problems/:code',
    summary: 'What a problem means, and what to do',
    access: 'public',
    limit: 'health',
  },
  jwks: {
    method: 'GET',
    path: '/.well-known/jwks.json',
    summary: 'The public keys that our tokens verify with (RFC 7517)',
    access: 'public',
    limit: 'health',
    cors: 'open',
  },
} as const satisfies Record<string, Endpoint>

export type EndpointName = keyof typeof contract
