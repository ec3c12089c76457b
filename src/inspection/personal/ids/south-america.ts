import { digitAt, isUniform, weighted } from '../checksums.ts'
import type { IdRule } from '../rule.ts'

/** Identifiers of people, and of firms that are one person, in South America. */
export const southAmerica: readonly IdRule[] = [
  {
    kind: 'tax-id',
    rule: 'tax-id/br-cpf',
    sure: ['ddd.ddd.ddd-dd'],
    alone: ['ddddddddddd', 'ddddddddd-dd'],
    words: ['cpf', 'cadastro de pessoas', 'contribuinte'],
    check: isCpf,
  },
  {
    kind: 'tax-id',
    rule: 'tax-id/br-cnpj',
    sure: ['dd.ddd.ddd/dddd-dd'],
    alone: ['dddddddddddddd'],
    words: ['cnpj'],
    check: isCnpj,
  },
  {
    kind: 'tax-id',
    rule: 'tax-id/ar-cuit',
    sure: ['dd-dddddddd-d'],
    alone: ['ddddddddddd'],
    words: ['cuit', 'cuil', 'cdi'],
    check: (id) =>
      /^(?:20|23|24|27|30|33|34)/.test(id) && mod11(id, [5, 4, 3, 2, 7, 6, 5, 4, 3, 2]) === digitAt(id, 10),
  },
  {
    kind: 'national-id',
    rule: 'national-id/ar-dni',
    told: ['dd.ddd.ddd', 'dddddddd'],
    words: ['dni', 'documento nacional'],
  },
  {
    kind: 'national-id',
    rule: 'national-id/cl-rut',
    sure: ['dd.ddd.ddd-x', 'd.ddd.ddd-x'],
    alone: ['dddddddd-x', 'ddddddd-x'],
    words: ['rut', 'run', 'rol unico'],
    check: isRut,
  },
  {
    kind: 'national-id',
    rule: 'national-id/uy-ci',
    sure: ['d.ddd.ddd-d'],
    alone: ['ddddddd-d'],
    words: ['cedula', 'cédula', 'documento'],
    check: (id) => !isUniform(id) && (10 - (weighted(id, [2, 9, 8, 7, 6, 3, 4]) % 10)) % 10 === digitAt(id, 7),
  },
  {
    kind: 'national-id',
    rule: 'national-id/co-cedula',
    told: ['d.ddd.ddd.ddd', 'dddddddddd', 'dd.ddd.ddd'],
    words: ['cedula', 'cédula', 'cc'],
  },
  {
    kind: 'national-id',
    rule: 'national-id/ec-cedula',
    told: ['dddddddddd', 'ddddddddd-d'],
    words: ['cedula', 'cédula', 'ecuador'],
  },
  {
    kind: 'national-id',
    rule: 'national-id/pe-dni',
    told: ['dddddddd'],
    words: ['dni', 'documento de identidad'],
  },
]

function isCpf(id: string): boolean {
  if (isUniform(id)) return false
  const first = mod11(id, [10, 9, 8, 7, 6, 5, 4, 3, 2])
  const second = mod11(id, [11, 10, 9, 8, 7, 6, 5, 4, 3, 2])
  return first === digitAt(id, 9) && second === digitAt(id, 10)
}

function isCnpj(id: string): boolean {
  if (isUniform(id)) return false
  const first = mod11(id, [5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2])
  const second = mod11(id, [6, 5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2])
  return first === digitAt(id, 12) && second === digitAt(id, 13)
}

function isRut(id: string): boolean {
  const body = id.slice(0, -1)
  if (!/^[0-9]+$/.test(body) || isUniform(body)) return false
  let sum = 0
  for (let at = body.length - 1, weight = 2; at >= 0; at--, weight = weight === 7 ? 2 : weight + 1)
    sum += digitAt(body, at) * weight
  const rest = 11 - (sum % 11)
  return id.at(-1) === (rest === 11 ? '0' : rest === 10 ? 'K' : String(rest))
}

function mod11(id: string, weights: readonly number[]): number {
  const rest = 11 - (weighted(id, weights) % 11)
  return rest >= 10 ? 0 : rest
}
