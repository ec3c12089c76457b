import { writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { type Child, startChild, untilItAnswers } from './child.ts'
import { programAt, versionOf } from './machine.ts'

/** What every contestant answers with: an item of 1,024 bytes. */
export const itemBytes = 1024
const item = `{"id":"item-1","text":"${''.padEnd(itemBytes - 25, 'gatehouse ')}"}`

export interface Upstream {
  readonly child: Child
  readonly text: string
}

/** Starts the API behind the contestants: nginx where it is installed, since it is quick enough never to be what is measured. */
export async function startUpstream(port: number, core: number | undefined, folder: string): Promise<Upstream> {
  const nginx = programAt('nginx')
  const child = nginx === undefined ? startNode(port, core) : startNginx(nginx, port, core, folder)
  await untilItAnswers('the upstream', `http://127.0.0.1:${port}/api/item`, child)
  return { child, text: nginx === undefined ? 'a `node:http` server' : `nginx ${versionOf(nginx, '-v')}, one process` }
}

function startNginx(nginx: string, port: number, core: number | undefined, folder: string): Child {
  const file = join(folder, 'nginx.conf')
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((kind) => `${kind}_temp_path ${folder}/${kind};`)
    .join(' ')
  writeFileSync(
    file,
    `daemon off; master_process off; pid ${folder}/nginx.pid; error_log stderr;
events { worker_connections 2048; }
http {
  access_log off; keepalive_timeout 600s; keepalive_requests 1000000000; ${temporary}
  server {
    listen 127.0.0.1:${port} backlog=4096;
    location / { default_type application/json; return 200 '${item}'; }
  }
}
`,
  )
  return startChild('nginx', [nginx, '-e', 'stderr', '-p', folder, '-c', file], { core })
}

function startNode(port: number, core: number | undefined): Child {
  return startChild('the upstream', [process.execPath, import.meta.filename, String(port)], { core })
}

if (import.meta.main) {
  const body = Buffer.from(item)
  const fields = ['Content-Type', 'application/json', 'Content-Length', String(itemBytes)]
  createServer({ keepAliveTimeout: 600_000 }, (_request, response) => response.writeHead(200, fields).end(body)).listen(
    Number(process.argv[2]),
    '127.0.0.1',
  )
}
