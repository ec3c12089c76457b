import assert from 'node:assert/strict'

/** What every answer says to browsers, byte for byte (TR8). */
const exactly = {
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'x-xss-protection': '1; mode=block',
  'strict-transport-security': 'max-age=31536000; includeSubDomains; preload',
  'referrer-policy': 'strict-origin-when-cross-origin',
  'permissions-policy': 'camera=(), microphone=(), geolocation=()',
}

export function assertSecurityHeaders({ headers }: Response): void {
  for (const [name, value] of Object.entries(exactly)) assert.equal(headers.get(name), value, name)
  assert.match(headers.get('content-security-policy') ?? '', /^default-src 'none'; /)
}
