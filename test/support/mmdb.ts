// Small MaxMind DB files (MaxMind DB File Format Specification 2.0), as an operator might give one.
import { parseAddress } from '../../src/kernel/ip.ts'

export type MmdbValue = string | number | { readonly [name: string]: MmdbValue }

/** A file of networks, each with what is known of it. Networks do not lie within each other. */
export function mmdbOf(networks: Readonly<Record<string, MmdbValue>>, databaseType = 'Test-City'): Buffer {
  type Node = [Node | number | undefined, Node | number | undefined]
  const root: Node = [undefined, undefined]
  const data: Buffer[] = []
  let dataBytes = 0
  for (const [network, value] of Object.entries(networks)) {
    const [text = '', prefix = ''] = network.split('/')
    const address = parseAddress(text)
    if (address === undefined) throw new Error(`no network: ${network}`)
    const bytes = address.family === 4 ? [...new Array<number>(12).fill(0), ...address.bytes] : address.bytes
    const bits = Number(prefix) + (address.family === 4 ? 96 : 0)
    let node = root
    for (let depth = 0; depth < bits; depth++) {
      const side = ((bytes[depth >> 3] as number) >> (7 - (depth & 7))) & 1
      if (depth === bits - 1) node[side] = dataBytes
      else {
        const next = node[side]
        const child: Node = typeof next === 'object' ? next : [undefined, undefined]
        node[side] = child
        node = child
      }
    }
    const encoded = encode(value)
    data.push(encoded)
    dataBytes += encoded.length
  }
  const nodes: Node[] = []
  const number = new Map<Node, number>()
  const visit = (node: Node): void => {
    number.set(node, nodes.length)
    nodes.push(node)
    for (const child of node) if (typeof child === 'object') visit(child)
  }
  visit(root)
  const tree = Buffer.alloc(nodes.length * 6) // records of 24 bits
  for (const [index, node] of nodes.entries())
    for (const [side, child] of node.entries()) {
      const record =
        child === undefined
          ? nodes.length
          : typeof child === 'number'
            ? nodes.length + 16 + child
            : (number.get(child) as number)
      tree.writeUIntBE(record, index * 6 + side * 3, 3)
    }
  const metadata = encode({
    binary_format_major_version: 2,
    binary_format_minor_version: 0,
    build_epoch: 1_767_225_600,
    database_type: databaseType,
    description: { en: 'made for a test' },
    ip_version: 6,
    node_count: nodes.length,
    record_size: 24,
  })
  return Buffer.concat([
    tree,
    Buffer.alloc(16),
    ...data,
    Buffer.from('abcdef', 'hex'),
    Buffer.from('MaxMind.com'),
    metadata,
  ])
}

export function cityOf(name: string, country: string, latitude: number, longitude: number): MmdbValue {
  return {
    city: { names: { en: name } },
    country: { iso_code: country },
    location: { latitude: latitude + 0.0001, longitude: longitude + 0.0001 },
  }
}

function encode(value: MmdbValue): Buffer {
  if (typeof value === 'string') {
    const bytes = Buffer.from(value)
    return Buffer.concat([control(2, bytes.length), bytes])
  }
  if (typeof value === 'number') {
    if (!Number.isInteger(value)) {
      const bytes = Buffer.alloc(8)
      bytes.writeDoubleBE(value)
      return Buffer.concat([control(3, 8), bytes])
    }
    const bytes = Buffer.alloc(4)
    bytes.writeUInt32BE(value)
    return Buffer.concat([control(6, 4), bytes])
  }
  const members = Object.entries(value)
  return Buffer.concat([
    control(7, members.length),
    ...members.flatMap(([name, member]) => [encode(name), encode(member)]),
  ])
}

function control(type: number, size: number): Buffer {
  if (size < 29) return Buffer.from([(type << 5) | size])
  return Buffer.from([(type << 5) | 29, size - 29])
}
