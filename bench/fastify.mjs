// Fastify with the plugins that its own organisation keeps for this job, each as its documentation sets it up.
import { randomUUID } from 'node:crypto'
import cors from '@fastify/cors'
import helmet from '@fastify/helmet'
import proxy from '@fastify/http-proxy'
import jwt from '@fastify/jwt'
import rateLimit from '@fastify/rate-limit'
import Fastify from 'fastify'

const { BENCH_PORT, BENCH_UPSTREAM, BENCH_SECRET } = process.env

const app = Fastify({ logger: false, genReqId: () => randomUUID() })
app.addHook('onRequest', async (request, reply) => {
  reply.header('x-request-id', request.id)
})
await app.register(helmet)
await app.register(cors, { origin: 'https://app.example.com' })
await app.register(rateLimit, { max: 1_000_000_000, timeWindow: '1h' })
await app.register(jwt, {
  secret: BENCH_SECRET,
  verify: { algorithms: ['HS256'], allowedIss: 'gatehouse', allowedAud: 'gatehouse' },
})
await app.register(proxy, {
  upstream: BENCH_UPSTREAM,
  prefix: '/api',
  rewritePrefix: '/api',
  undici: { connections: 256, pipelining: 1 },
  preHandler: async (request, reply) => {
    const { permissions } = await request.jwtVerify()
    if (!permissions.includes('item:read')) reply.code(403).send({ error: 'forbidden' })
  },
})
await app.listen({ port: Number(BENCH_PORT), host: '127.0.0.1' })
