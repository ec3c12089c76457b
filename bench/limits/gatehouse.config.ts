import { defineConfig, env } from 'gatehouse'

/** One route for the whole way, one for strangers, and what `BENCH_GUARD` says of limits, of blocks and of too much. */
const guard = process.env.BENCH_GUARD ?? 'limits'
const hour = { limit: 1_000_000_000, window: '1h' } as const

export default defineConfig({
  listen: { trustedProxies: ['127.0.0.1'] },
  upstreams: { api: process.env.BENCH_UPSTREAM ?? 'http://127.0.0.1:3000' },
  tokens: {
    issuer: 'gatehouse',
    audience: 'gatehouse',
    algorithm: 'HS256',
    secret: env('BENCH_SECRET'),
    accessTtl: '12h',
  },
  limits:
    guard === 'off'
      ? false
      : {
          ample: hour,
          general: hour,
          strangers: { ...hour, by: ['ip'] },
          polite: guard === 'limits' ? { limit: 1_200, window: '1m', burst: 100, by: ['ip'] } : { ...hour, by: ['ip'] },
        },
  shield: {
    ...(guard === 'blocks' ? { rate: { thresholds: [{ limit: 100, window: '1s' }], block: '1h' } } : {}),
    ...(guard === 'unshed' ? { load: false } : {}),
  },
  routes: [
    { path: '/api/item', methods: ['GET'], require: 'item:read', limit: 'ample', to: 'api' },
    { path: '/open/item', methods: ['GET'], access: 'public', limit: 'polite', to: 'api' },
  ],
})
