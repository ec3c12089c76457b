// Where addresses are, by a file of the operator's, and nobody gets about faster than that allows.
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { AuditEvent } from '../../src/audit/event.ts'
import { type Geolocation, openGeolocation } from '../../src/incident/detection/geolocation.ts'
import { distanceKm } from '../../src/incident/detection/travel.ts'
import { throwAwayFolder } from '../support/folder.ts'
import { cityOf, mmdbOf } from '../support/mmdb.ts'
import { findingsIn, hour, minute, rulesIn, signIn } from './events.ts'

const zurich = '203.0.113.1'
const sydney = '198.51.100.1'
const geneva = '2001:db8:1::1'

function world(context: TestContext): Geolocation {
  const path = join(throwAwayFolder(context), 'world.mmdb')
  writeFileSync(
    path,
    mmdbOf({
      '203.0.113.0/24': cityOf('Zürich', 'CH', 47.37, 8.54),
      '198.51.100.0/24': cityOf('Sydney', 'AU', -33.87, 151.21),
      '2001:db8:1::/48': cityOf('Geneva', 'CH', 46.2, 6.14),
    }),
  )
  return openGeolocation(path)
}

const from = (address: string, at: number): AuditEvent => signIn(at, 'ada', { address })

test('AU6: an address is where the file says, and nowhere where it says nothing', (context) => {
  const { place } = world(context)
  assert.deepEqual([place(zurich)?.city, place(zurich)?.country], ['Zürich', 'CH'])
  assert.equal(place('203.0.113.255')?.city, 'Zürich')
  assert.equal(place(geneva)?.city, 'Geneva')
  for (const address of ['203.0.114.1', '2001:db8:2::1', '10.0.0.1', '', 'nonsense', '::1'])
    assert.equal(place(address), undefined)
})

test('AU6: distances are those of an atlas', () => {
  const at = (latitude: number, longitude: number) => ({ city: '', country: '', latitude, longitude })
  assert.ok(Math.abs(distanceKm(at(51.5, -0.13), at(40.71, -74.01)) - 5570) < 20) // London, New York
  assert.ok(Math.abs(distanceKm(at(0, 0), at(0, 180)) - 20_015) < 5)
  assert.equal(distanceKm(at(10, 10), at(10, 10)), 0)
})

test('AU6: two sign-ins too far apart for the time between them are found, at the edge of what an aeroplane can do', (context) => {
  const where = world(context)
  const [finding] = findingsIn({}, [from(zurich, 0), from(sydney, hour)], where)
  assert.deepEqual(
    [finding?.type, finding?.events, finding?.targets],
    ['impossible-travel', [1, 2], [{ type: 'user', id: 'ada' }]],
  )
  assert.match(finding?.description ?? '', /^165\d\d km in 60 minutes, from Zürich \(CH\) to Sydney \(AU\)/)
  const km = distanceKm(
    { city: '', country: '', latitude: 47.3701, longitude: 8.5401 },
    { city: '', country: '', latitude: -33.8699, longitude: 151.2101 },
  )
  const neededMs = Math.ceil((km / 1000) * hour)
  assert.deepEqual(rulesIn({}, [from(zurich, 0), from(sydney, neededMs - minute)], where), ['impossible-travel'])
  assert.deepEqual(rulesIn({}, [from(zurich, 0), from(sydney, neededMs + minute)], where), [])
  assert.deepEqual(rulesIn({}, [from(zurich, 0), from(geneva, 1)], where), []) // 225 km: addresses are placed no better
  assert.deepEqual(rulesIn({}, [from(sydney, 30_000), from(zurich, 0)], where), ['impossible-travel']) // out of order
  assert.deepEqual(rulesIn({}, [from(zurich, 0), from('10.0.0.1', 1), from(sydney, 2)], where), ['impossible-travel'])
})

test('AU6: without a file nobody travels, and nobody is asked where an address is', () => {
  assert.deepEqual(rulesIn({}, [from(zurich, 0), from(sydney, 1)]), [])
})

test('AU6: a file that is none, is cut short or is about something else is told by its path', (context) => {
  const folder = throwAwayFolder(context)
  const file = (bytes: Buffer): string => {
    const path = join(folder, 'some.mmdb')
    writeFileSync(path, bytes)
    return path
  }
  const good = mmdbOf({ '203.0.113.0/24': cityOf('Zürich', 'CH', 47.37, 8.54) })
  const trouble = (path: string, message: RegExp): void =>
    assert.throws(() => openGeolocation(path), { name: 'Fault', code: 'unavailable', message })
  trouble(join(folder, 'none.mmdb'), /^incidents\.detection\.geolocation: `.*none\.mmdb` cannot be read: ENOENT/)
  trouble(file(Buffer.from('hello')), /is no MaxMind DB file/)
  trouble(file(Buffer.alloc(0)), /is no MaxMind DB file/)
  trouble(file(good.subarray(-200)), /is cut short|is no MaxMind DB file/)
  trouble(
    file(mmdbOf({ '203.0.113.0/24': { autonomous_system_number: 1 } }, 'Test-ASN')),
    /is a file of `Test-ASN`: expected one of cities or countries/,
  )
  // Damaged in the middle: it says nothing, and throws nothing either.
  for (let at = 0; at < good.length - 200; at += 7) {
    const broken = Buffer.from(good)
    broken.fill(0xff, at, at + 7)
    let where: Geolocation
    try {
      where = openGeolocation(file(broken))
    } catch (error) {
      assert.equal((error as Error).name, 'Fault')
      continue
    }
    assert.doesNotThrow(() => where.place(zurich))
  }
})
