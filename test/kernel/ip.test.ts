import assert from 'node:assert/strict'
import { isIP } from 'node:net'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  type Address,
  addressList,
  addressText,
  type Cidr,
  cidrContains,
  limitKey,
  parseAddress,
  parseCidr,
} from '../../src/kernel/ip.ts'

const textOf = (text: string): string | undefined => {
  const address = parseAddress(text)
  return address === undefined ? undefined : addressText(address)
}

const ipv4 = fc.ipV4()
const ipv6 = fc.oneof(fc.ipV6(), sparse())
const near = fc.stringMatching(/^[0-9a-f:.%/]{0,24}$/)

/** Addresses with long runs of zeros, where the shortest spelling is decided. */
function sparse(): fc.Arbitrary<string> {
  const group = fc.oneof(
    { weight: 3, arbitrary: fc.constant('0') },
    { weight: 1, arbitrary: fc.stringMatching(/^[0-9a-fA-F]{1,4}$/) },
  )
  return fc.array(group, { minLength: 8, maxLength: 8 }).map((groups) => groups.join(':'))
}

/** The platform's own URL parser writes IPv6 by RFC 5952, though it does not read mapped addresses as IPv4. */
function canonicalByUrl(text: string): string {
  return new URL(`http://[${text}]/`).hostname.slice(1, -1)
}

test('an address is what the platform takes for one, without zone ids', () => {
  fc.assert(
    fc.property(fc.oneof(ipv4, ipv6, near), (text) => {
      const address = parseAddress(text)
      assert.equal(address?.family !== undefined, isIP(text) !== 0 && !text.includes('%'), text)
    }),
    { numRuns: 2000 },
  )
})

test('an address has one spelling (RFC 5952), and reading it back changes nothing', () => {
  fc.assert(
    fc.property(fc.oneof(ipv4, ipv6), (text) => {
      const address = parseAddress(text) as Address
      const canonical = addressText(address)
      assert.deepEqual(parseAddress(canonical), address)
      if (address.family === 6) assert.equal(canonical, canonicalByUrl(text))
    }),
    { numRuns: 1000 },
  )
})

test('the examples of RFC 5952 come out as it says', () => {
  const spellings = {
    '2001:0db8::0001': '2001:db8::1', // §4.1
    '2001:db8:0:0:0:0:2:1': '2001:db8::2:1', // §4.2.1
    '2001:db8:0:1:1:1:1:1': '2001:db8:0:1:1:1:1:1', // §4.2.2
    '2001:0:0:1:0:0:0:1': '2001:0:0:1::1', // §4.2.3
    '2001:db8:0:0:1:0:0:1': '2001:db8::1:0:0:1', // §4.2.3
    '2001:DB8::AAAA': '2001:db8::aaaa', // §4.3
    '0:0:0:0:0:0:0:0': '::',
    '0:0:0:0:0:0:0:1': '::1',
    '1:0:0:0:0:0:0:0': '1::',
  }
  for (const [written, canonical] of Object.entries(spellings)) assert.equal(textOf(written), canonical)
})

test('a mapped address is the IPv4 address that it carries, however it is written', () => {
  for (const mapped of ['::ffff:1.2.3.4', '::FFFF:1.2.3.4', '::ffff:102:304', '0:0:0:0:0:ffff:1.2.3.4']) {
    assert.deepEqual(parseAddress(mapped), parseAddress('1.2.3.4'))
  }
  assert.equal(textOf('64:ff9b::192.0.2.1'), '64:ff9b::c000:201')
  assert.equal(textOf('::1.2.3.4'), '::102:304')
})

test('what only looks like an address is none', () => {
  const wrong = [
    '', ' ', '1.2.3', '1.2.3.4.5', '1.2.3.', '.1.2.3', '1..2.3', '256.1.1.1', '01.2.3.4', '1.2.3.04', '1.2.3.4:80', '1.2.3.4 ', '0x1.2.3.4',
    '１.2.3.4', '1.2.3.4/8', ':', ':::', '::1::', '1::2::3', '[::1]', '::1%eth0', 'fe80::1%1', '12345::', '::g', ':1:2:3:4:5:6:7:8', '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9', '1:2:3:4:5:6:7:8:', '1:2:3:4::5:6:7:8', '1.2.3.4::', '::1.2.3.4:5', '::1.2.3', '::01.2.3.4', '::ffff:1.2.3.4.5',
  ] // biome-ignore format: a list reads best as a list
  for (const text of wrong) assert.equal(parseAddress(text), undefined, text)
})

test('a network with a bit set behind its prefix is a mistake, not a guess', () => {
  for (const text of ['10.0.0.1/8', '10.128.0.0/8', '2001:db8::1/32', '::ffff:10.0.0.1/104', '::ffff:0:0/90'])
    assert.equal(parseCidr(text), undefined, text)
  for (const text of [
    '10.0.0.0/33',
    '10.0.0.0/-1',
    '10.0.0.0/08',
    '10.0.0.0/',
    '10.0.0.0/8/8',
    '::/129',
    '/8',
    '10.0.0.0/ 8',
    '::ffff:1.2.3.4/95',
  ]) {
    assert.equal(parseCidr(text), undefined, text)
  }
})

test('a bare address is a network of one', () => {
  assert.deepEqual(parseCidr('192.0.2.1'), parseCidr('192.0.2.1/32'))
  assert.deepEqual(parseCidr('2001:db8::1'), parseCidr('2001:db8::1/128'))
  assert.deepEqual(parseCidr('::ffff:10.0.0.0/104'), parseCidr('10.0.0.0/8'))
})

test('an address lies in every network of its own leading bits, and leaves it when one of them turns', () => {
  fc.assert(
    fc.property(fc.oneof(ipv4, ipv6), fc.nat(128), fc.nat(127), (text, length, turned) => {
      const address = parseAddress(text) as Address
      const bits = address.bytes.length * 8
      const prefixBits = length % (bits + 1)
      const cidr = networkOf(address, prefixBits)
      assert.deepEqual(parseCidr(`${addressText(cidr.network)}/${prefixBits}`), cidr)
      assert.equal(cidrContains(cidr, address), true)
      const bit = turned % bits
      assert.equal(cidrContains(cidr, withBitTurned(address, bit)), bit >= prefixBits)
    }),
  )
})

test('AK6: a list of networks holds exactly what one of its networks contains', () => {
  const crowded = fc.oneof(
    fc.tuple(fc.constantFrom(10, 11), fc.nat(3), fc.nat(255), fc.nat(255)).map((octets) => octets.join('.')),
    fc
      .tuple(fc.constantFrom('2001:db8:', '::', '::ffff:10.0.'), fc.nat(255))
      .map(([head, tail]) => (head.endsWith('.') ? `${head}1.${tail}` : `${head}:${tail}`.replace(':::', '::'))),
  )
  fc.assert(
    fc.property(fc.array(fc.tuple(crowded, fc.nat(128)), { maxLength: 8 }), fc.array(crowded), (networks, asked) => {
      const cidrs = networks.map(([text, length]) => {
        const address = parseAddress(text) as Address
        return networkOf(address, length % (address.bytes.length * 8 + 1))
      })
      const isListed = addressList(cidrs)
      for (const text of asked) {
        const address = parseAddress(text) as Address
        const expected = cidrs.some((cidr) => cidrContains(cidr, address))
        assert.equal(
          isListed(text),
          expected,
          `${text} in ${cidrs.map((cidr) => `${addressText(cidr.network)}/${cidr.prefixBits}`)}`,
        )
      }
    }),
    { numRuns: 500 },
  )
})

test('AK6: `::/0` means IPv6: it holds no IPv4 address, mapped or not', () => {
  const isListed = addressList([parseCidr('::/0') as Cidr])
  assert.equal(isListed('2001:db8::1'), true)
  for (const text of ['203.0.113.9', '::ffff:203.0.113.9', '::ffff:cb00:7109', '0:0:0:0:0:FFFF:cb00:7109'])
    assert.equal(isListed(text), false, text)
})

test('AK6: the spelling of a mapped address does not get it past a list of IPv4 networks', () => {
  const isListed = addressList([parseCidr('203.0.113.0/24') as Cidr])
  for (const text of ['203.0.113.9', '::ffff:203.0.113.9', '::ffff:cb00:7109', '0:0:0:0:0:FFFF:cb00:7109'])
    assert.equal(isListed(text), true, text)
  assert.equal(isListed('::203.0.113.9'), false)
})

test('what is no address is in no list, not even in the list of all addresses', () => {
  const everyone = addressList([parseCidr('0.0.0.0/0') as Cidr, parseCidr('::/0') as Cidr])
  assert.equal(everyone('203.0.113.9'), true)
  assert.equal(everyone('2001:db8::1'), true)
  for (const text of ['', 'unknown', '1.2.3.4:80', '[::1]', '01.2.3.4', '_hidden'])
    assert.equal(everyone(text), false, text)
})

test('A52: a limit counts IPv4 clients one by one and IPv6 clients by their /64', () => {
  assert.equal(limitKey('203.0.113.9'), '203.0.113.9')
  assert.equal(limitKey('::ffff:203.0.113.9'), '203.0.113.9')
  assert.equal(limitKey('2001:db8:1:2:3:4:5:6'), '2001:db8:1:2::/64')
  assert.equal(limitKey('2001:db8:0:0:ffff::1'), '2001:db8::/64')
  assert.equal(limitKey('::1'), '::/64')
})

test('C: no choice of the lower 64 bits gives a client a second key, and another /64 always does', () => {
  fc.assert(
    fc.property(ipv6, fc.nat(127), (text, bit) => {
      const address = parseAddress(text) as Address
      fc.pre(address.family === 6)
      const other = withBitTurned(address, bit)
      fc.pre(parseAddress(addressText(other))?.family === 6)
      assert.equal(limitKey(addressText(other)) === limitKey(text), bit >= 64)
    }),
  )
})

test('A52: texts that are no address do not share a key', () => {
  assert.notEqual(limitKey('fe80::1%eth0'), limitKey('fe80::2%eth0'))
})

function networkOf(address: Address, prefixBits: number): Cidr {
  const bytes = address.bytes.map((byte, at) => {
    const kept = Math.min(Math.max(prefixBits - at * 8, 0), 8)
    return byte & (0xff << (8 - kept)) & 0xff
  })
  return { network: { family: address.family, bytes }, prefixBits }
}

function withBitTurned(address: Address, bit: number): Address {
  return { ...address, bytes: address.bytes.map((byte, at) => (at === bit >> 3 ? byte ^ (0x80 >> (bit & 7)) : byte)) }
}
