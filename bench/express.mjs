// Express with the middlewares that most of its users put in front of an API.
import { randomUUID } from 'node:crypto'
import { Agent } from 'node:http'
import cors from 'cors'
import express from 'express'
import { expressjwt } from 'express-jwt'
import { rateLimit } from 'express-rate-limit'
import helmet from 'helmet'
import { createProxyMiddleware } from 'http-proxy-middleware'

const { BENCH_PORT, BENCH_UPSTREAM, BENCH_SECRET } = process.env

const app = express()
app.use((_request, response, next) => {
  response.setHeader('X-Request-ID', randomUUID())
  next()
})
app.use(helmet())
app.use(cors({ origin: 'https://app.example.com' }))
app.use(rateLimit({ limit: 1_000_000_000, windowMs: 3_600_000, legacyHeaders: true }))
app.use(expressjwt({ secret: BENCH_SECRET, algorithms: ['HS256'], issuer: 'gatehouse', audience: 'gatehouse' }))
app.use((request, response, next) => {
  if (request.auth.permissions.includes('item:read')) next()
  else response.status(403).json({ error: 'forbidden' })
})
// Without an agent of its own it opens a connection for every request.
app.use(
  createProxyMiddleware({
    target: BENCH_UPSTREAM,
    pathFilter: '/api',
    agent: new Agent({ keepAlive: true, maxSockets: 256 }),
  }),
)
app.use((error, _request, response, _next) => {
  response.status(error.status ?? 500).json({ error: error.message })
})
app.listen(Number(BENCH_PORT), '127.0.0.1')
