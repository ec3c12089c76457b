import { _, type CodeKeywordDefinition, Name } from 'ajv/dist/2020.js'

/**
 * `unevaluatedProperties` (core §11.3) that asks for members of an object's own: to Ajv's, `constructor` and `__proto__` have been
 * evaluated wherever it keeps the names of those that were in an object, and so they pass where nothing unknown may.
 */
export const unevaluatedProperties: CodeKeywordDefinition = {
  keyword: 'unevaluatedProperties',
  type: 'object',
  schemaType: ['boolean', 'object'],
  trackErrors: true,
  error: {
    message: 'is not known',
    params: ({ params }) => _`{unevaluatedProperty: ${params['unevaluatedProperty'] as Name}}`,
  },
  code(cxt) {
    const { gen, schema, data, errsCount, it } = cxt
    const { props } = it
    it.props = true
    if (props === true) return
    const known = props === undefined || props instanceof Name ? props : gen.scopeValue('obj', { ref: props })
    const unknown = gen.scopeValue('func', { ref: unknownOf })
    gen.forOf('name', _`${unknown}(${data}, ${known})`, (name) => {
      if (schema === false) {
        cxt.setParams({ unevaluatedProperty: name })
        cxt.error()
        if (!it.allErrors) gen.break()
        return
      }
      const valid = gen.name('valid')
      cxt.subschema({ keyword: 'unevaluatedProperties', dataProp: name, dataPropType: 0 }, valid)
      if (!it.allErrors) gen.if(_`!${valid}`, () => gen.break())
    })
    cxt.ok(_`${errsCount as Name} === ${errors}`)
  },
}

/** How many errors there are so far, in the code that Ajv writes. */
const errors = new Name('errors')

function unknownOf(value: object, known: object | true | undefined): readonly string[] {
  if (known === true) return []
  const names = Object.keys(value)
  return known === undefined ? names : names.filter((name) => !Object.hasOwn(known, name))
}
