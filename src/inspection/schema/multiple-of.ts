import { _, type CodeKeywordDefinition } from 'ajv/dist/2020.js'

/**
 * `multipleOf` (validation §6.2.1) of what was written: 4.35 is a multiple of 0.01, which no quotient of doubles says, and 1 is none
 * of 10,000,000, which a quotient that is rounded says.
 */
export const multipleOf: CodeKeywordDefinition = {
  keyword: 'multipleOf',
  type: 'number',
  schemaType: 'number',
  $data: true,
  error: { message: 'is no multiple', params: ({ schemaCode }) => _`{multipleOf: ${schemaCode}}` },
  code(cxt) {
    const { gen, data, schemaCode } = cxt
    cxt.fail$data(_`!${gen.scopeValue('func', { ref: isMultiple })}(${data}, ${schemaCode})`)
  },
}

function isMultiple(value: number, of: number): boolean {
  if (of === 0 || !Number.isFinite(value)) return false
  if (Number.isSafeInteger(value) && Number.isSafeInteger(of)) return value % of === 0
  const [one, other] = [decimalOf(value), decimalOf(of)]
  const least = Math.min(one.exponent, other.exponent)
  return (
    (one.digits * 10n ** BigInt(one.exponent - least)) % (other.digits * 10n ** BigInt(other.exponent - least)) === 0n
  )
}

/** The shortest decimal that is the number: what was written, but for digits that no double holds. */
function decimalOf(number: number): { readonly digits: bigint; readonly exponent: number } {
  const [mantissa = '', power] = number.toExponential().split('e')
  const [whole = '', fraction = ''] = mantissa.split('.')
  return { digits: BigInt(whole + fraction), exponent: Number(power) - fraction.length }
}
