import { readdir, readFile } from 'node:fs/promises'

/** A process and its descendants, the first one first: the walls stand around the interpreter as processes of their own. */
export async function processTree(pid: number): Promise<readonly number[]> {
  const tree = [pid]
  // Grows while it is walked: each one's children come behind it. A bound, since whoever is counted makes the count.
  for (let at = 0; at < tree.length && tree.length < treeMax; at++) tree.push(...(await childrenOf(tree[at] as number)))
  return tree
}

/** What processes hold in memory together, in bytes. `undefined` where this system does not say, or where all are gone. */
export async function residentBytes(pids: readonly number[]): Promise<number | undefined> {
  const held = await Promise.all(
    pids.map(async (pid) => /^VmRSS:\s+(\d+) kB$/m.exec(await textOf(`/proc/${pid}/status`))?.[1]),
  )
  const known = held.filter((kilobytes) => kilobytes !== undefined).map(Number)
  return known.length === 0 ? undefined : known.reduce((a, b) => a + b) * 1024
}

async function childrenOf(pid: number): Promise<number[]> {
  const text = await textOf(`/proc/${pid}/task/${pid}/children`)
  if (text !== '') return text.split(' ').filter(Boolean).map(Number)
  // Some kernels are built without that list; and a process without children has an empty one.
  return (await listsChildren()) ? [] : childrenByParent(pid)
}

async function childrenByParent(parent: number): Promise<number[]> {
  const names = await readdir('/proc').catch(() => [])
  const pids = names.filter((name) => /^\d+$/.test(name)).map(Number)
  const parents = await Promise.all(
    pids.map(async (pid) => Number(/^PPid:\s+(\d+)$/m.exec(await textOf(`/proc/${pid}/status`))?.[1])),
  )
  return pids.filter((_, at) => parents[at] === parent)
}

async function listsChildren(): Promise<boolean> {
  return readFile(`/proc/${process.pid}/task/${process.pid}/children`).then(
    () => true,
    () => false,
  )
}

function textOf(path: string): Promise<string> {
  return readFile(path, 'latin1').catch(() => '') // gone, or never there
}

const treeMax = 64
