import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:net'

/** Below the range from which Linux takes ports of its own accord, for outgoing connections and for port 0. */
const range = { from: 20_000, to: 32_000 }
let next = randomInt(range.from, range.to)

/**
 * A port for a server that has to know its address before it listens. Nobody else takes it meanwhile: the system hands
 * out none of this range, this process hands out each once, and another begins elsewhere.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = next
    next = port + 1 < range.to ? port + 1 : range.from
    if (await isFree(port)) return port
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer()
  try {
    await once(server.listen(port, '127.0.0.1'), 'listening')
  } catch {
    return false
  }
  await new Promise((resolve) => server.close(resolve))
  return true
}
