import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type Address, addressText, type Cidr, cidrContains, parseAddress, parseCidr } from '../../src/kernel/ip.ts'
import { NetworkTable } from '../../src/shield/network-table.ts'
import { isWithin, networksAround, networkText } from '../../src/shield/networks.ts'

/** Few bits that differ, so that networks lie in each other and addresses in them. */
const address: fc.Arbitrary<Address> = fc.oneof(
  fc
    .tuple(fc.constantFrom(10, 11, 192), fc.nat(3), fc.nat(3), fc.nat(255))
    .map((bytes): Address => ({ family: 4, bytes })),
  fc
    .tuple(fc.nat(1), fc.nat(3), fc.nat(3))

    .map(([a, b, c]): Address => ({ family: 6, bytes: [0x20, a, 0, 0, 0, 0, 0, b, 0, 0, 0, 0, 0, 0, 0, c] })),
)
const network: fc.Arbitrary<Cidr> = fc.tuple(address, fc.nat(128)).map(([{ family, bytes }, bits]) => {
  const prefixBits = Math.min(bits, bytes.length * 8)
  const kept = bytes.map((byte, at) => byte & (0xff00 >> Math.min(Math.max(prefixBits - at * 8, 0), 8)) & 0xff)
  return { network: { family, bytes: kept }, prefixBits }
})

test('C: an address is in the networks that hold it and in no other, whatever their sizes and the order they came in', () => {
  fc.assert(
    fc.property(
      fc.array(network, { maxLength: 60 }),
      fc.array(address, { minLength: 1, maxLength: 30 }),
      fc.nat(),
      (networks, addresses, seed) => {
        const table = new NetworkTable(seed)
        for (const [at, one] of networks.entries()) table.add(one, at)
        const distinct = new Map(networks.map((one, at) => [networkText(one), at]))
        assert.equal(table.size, distinct.size)
        for (const one of addresses) {
          const held = networks.filter((within) => cidrContains(within, one))
          const text = addressText(one)
          const expected = [...new Set(held.map((within) => distinct.get(networkText(within)) as number))]
          assert.deepEqual([...table.valuesAt(text)].toSorted(), expected.toSorted())
          assert.equal(table.contains(text), held.length > 0)
          for (const within of networks) assert.equal(isWithin(text, networkText(within)), cidrContains(within, one))
        }
      },
    ),
  )
})

test('C: an address in its IPv6 form, with a zone, or that is none at all is where it belongs', () => {
  const table = new NetworkTable(7)
  for (const text of ['192.0.2.0/24', 'fe80::/10', '::/0']) table.add(parseCidr(text) ?? assert.fail(text))
  for (const [text, held] of [
    ['192.0.2.9', true],
    ['::ffff:192.0.2.9', true],
    ['::ffff:198.51.100.9', false], // an IPv4 address, and in no network of IPv6
    ['fe80::1%eth0', true],
    ['2001:db8::1', true],
    ['unknown', false],
    ['192.0.2.9\0', false],
    ['192.0.2.09', false],
    ['', false],
  ] as const)
    assert.equal(table.contains(text), held, text)
  assert.equal(new NetworkTable(7).contains('192.0.2.9'), false)
})

test('C: the networks around an address are all that there are', () => {
  assert.equal(networksAround('192.0.2.9').length, 33)
  assert.equal(networksAround('2001:db8::1').length, 129)
  assert.deepEqual(networksAround('192.0.2.9').slice(22, 26), [
    '192.0.0.0/22',
    '192.0.2.0/23',
    '192.0.2.0/24',
    '192.0.2.0/25',
  ])
  assert.deepEqual(networksAround('unknown'), [])
  for (const text of networksAround('2001:db8:ffff:ffff::ffff')) {
    const read = parseCidr(text) ?? assert.fail(text)
    assert.ok(cidrContains(read, parseAddress('2001:db8:ffff:ffff::ffff') as Address))
  }
})
