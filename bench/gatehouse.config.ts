import { defineConfig, env } from 'gatehouse'

/** One route with everything on: the token, the permission, the limit, security headers, audit and metrics. */
export default defineConfig({
  upstreams: { api: process.env.BENCH_UPSTREAM ?? 'http://127.0.0.1:3000' },
  tokens: {
    issuer: 'gatehouse',
    audience: 'gatehouse',
    algorithm: 'HS256',
    secret: env('BENCH_SECRET'),
    accessTtl: '12h',
  },
  limits: { ample: { limit: 1_000_000_000, window: '1h' } },
  routes: [{ path: '/api/item', methods: ['GET'], require: 'item:read', limit: 'ample', to: 'api' }],
})
