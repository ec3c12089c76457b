import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Format } from 'ajv'
import { formats } from '../../../src/inspection/schema/formats.ts'
import { assertLinear } from './linear.ts'

/** Texts that have each format, and texts that nearly have it. */
const cases: Readonly<Record<string, { readonly fit: readonly string[]; readonly not: readonly string[] }>> = {
  date: {
    fit: ['2024-02-29', '2026-12-31'],
    not: ['2025-02-29', '2026-13-01', '2026-00-10', '2026-1-1', '2026-01-01\n', ' 2026-01-01', '', '2026-04-31'],
  },
  time: {
    fit: ['00:00:00Z', '23:59:59.999+01:30', '23:59:60Z', '01:29:60+01:30', '12:00:00z'],
    not: ['12:00:00', '24:00:00Z', '12:60:00Z', '12:00:60Z', '12:00:00+24:00', '12:00:00Z\n', '23:59:61Z'],
  },
  'date-time': {
    fit: [
      '2026-01-01T00:00:00Z',
      '1970-01-01t00:00:00z',
      '2016-12-31T23:59:60Z',
      '2026-06-30T12:00:00.123456789-07:00',
    ],
    not: ['2026-01-01 00:00:00Z', '2026-01-01T00:00:00', '2026-02-30T00:00:00Z', '2026-01-01T00:00:00Z,', '2026-01-01'],
  },
  byte: { fit: ['', 'aGk=', 'aGkh', 'aA=='], not: ['a', 'aG', '!!!!\n', 'aGk=\n', 'a===', '=aGk', 'aG-_'] },
  url: {
    fit: ['https://example.com/a?b#c', 'HTTP://localhost:8080'],
    not: ['javascript:alert(1)', 'ftp://a', 'https://', 'https://a b', 'https:\\\\a', '//a'],
  },
  regex: { fit: ['^a+$', ''], not: ['(', '(a)\\1', 'a'.repeat(1001)] },
  email: {
    fit: ['ann@example.com', "o'brien+tag@mail.example.co"],
    not: ['ann', 'ann@', '@example.com', 'a b@example.com', 'ann@example.com\n'],
  },
  uuid: { fit: ['0190f3a4-7b1c-7c3e-8a55-1f2e3d4c5b6a'], not: ['0190f3a4', '0190f3a47b1c7c3e8a551f2e3d4c5b6a'] },
  ipv4: { fit: ['127.0.0.1'], not: ['127.1', '0177.0.0.1', '256.0.0.1'] },
}

test('a format takes what has it, and nothing that nearly has it', () => {
  for (const [name, { fit, not }] of Object.entries(cases)) {
    for (const text of fit) assert.equal(validate(name, text), true, `${name} takes ${JSON.stringify(text)}`)
    for (const text of not) assert.equal(validate(name, text), false, `${name} does not take ${JSON.stringify(text)}`)
  }
})

test('a bound on a time holds for every time: for the first moment of 1970 and for leap seconds as well', () => {
  const compare = comparison('date-time')
  assert.ok(compare('1970-01-01T00:00:00Z', '2026-01-01T00:00:00Z') < 0)
  assert.ok(compare('2026-01-01T00:00:00Z', '1970-01-01T00:00:00Z') > 0)
  assert.ok(compare('2016-12-31T23:59:60Z', '2016-12-31T23:59:59Z') > 0)
  assert.equal(compare('2026-01-01T00:00:00Z', '2026-01-01T01:30:00+01:30'), 0)
  assert.ok(compare('2026-01-01T00:00:00.002Z', '2026-01-01T00:00:00.001Z') > 0)
  assert.ok(comparison('time')('23:00:00Z', '23:30:00+01:00') > 0)
  assert.ok(comparison('date')('1969-12-31', '1970-01-01') < 0)
})

test('CT1: every format takes time in proportion to the text', () => {
  const seeds = [
    'a',
    'a.',
    ':',
    '%41',
    '/',
    '[',
    '::',
    '1',
    '@',
    'http://',
    '{a}',
    '{a,',
    '~0',
    'T',
    'P1',
    '-',
    'é',
    '(',
    'AAAA',
    '=',
    '\n',
    'a-',
  ]
  for (const [name, { ajv }] of Object.entries(formats)) {
    if (ajv === true || (typeof ajv === 'object' && 'type' in ajv && ajv.type === 'number')) continue
    for (const prefix of ['', 'http://', 'a@', '2026-01-01T'])
      for (const seed of seeds)
        assertLinear(`${name} of ${prefix}${seed}`, (characters) => {
          const text = `${prefix}${seed.repeat(Math.floor(characters / seed.length))}!`
          return () => void validate(name, text)
        })
  }
})

function validate(name: string, text: string): unknown {
  const format = formats[name]?.ajv as Exclude<Format, boolean>
  if (typeof format === 'function') return format(text)
  if (format instanceof RegExp) return format.test(text)
  if (typeof format === 'string') return new RegExp(format).test(text)
  const { validate } = format as { readonly validate: RegExp | ((text: string) => boolean) }
  return validate instanceof RegExp ? validate.test(text) : validate(text)
}

function comparison(name: string): (one: string, other: string) => number {
  const { ajv } = formats[name] as { readonly ajv: unknown }
  return (ajv as { readonly compare: (one: string, other: string) => number }).compare
}
