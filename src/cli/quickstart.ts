import { type Config, defineConfig } from '../config/settings.ts'

/** The configuration of a first start: the demo API behind the gate. */
export function demoConfig(url: string): Config {
  return defineConfig({
    upstreams: { demo: url },
    roles: { user: { permissions: ['task:read', 'task:create'] } },
    inspection: { injection: 'block' },
    routes: [
      { path: '/api/hello', methods: ['GET'], access: 'authenticated', limit: 'general', to: 'demo' },
      { path: '/api/tasks', methods: ['GET'], require: 'task:read', limit: 'general', to: 'demo' },
      {
        path: '/api/tasks',
        methods: ['POST'],
        require: 'task:create',
        limit: 'general',
        to: 'demo',
        body: {
          type: 'object',
          properties: { title: { type: 'string', minLength: 3, maxLength: 100 } },
          required: ['title'],
          additionalProperties: false,
        },
      },
    ],
  })
}

/** The configuration of `--upstream URL`: everything behind the gate is for whoever has signed in. */
export function upstreamConfig(url: string): Config {
  return defineConfig({
    upstreams: { api: url },
    routes: [{ path: '/*', access: 'authenticated', limit: 'general', to: 'api', websocket: true }],
  })
}
