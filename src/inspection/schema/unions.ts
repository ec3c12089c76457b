import { _, type CodeKeywordDefinition, Name } from 'ajv/dist/2020.js'

/** What an error of `anyOf` or `oneOf` knows: how many errors each branch left before it, in order, and which branches fit. */
export interface UnionParams {
  readonly spans: readonly number[]
  readonly passing: readonly number[]
}

/**
 * `anyOf` and `oneOf` that judge as the standard's do (core §10.2.1) and try every branch, so that who reads the errors can tell
 * which branch the value comes closest to.
 */
export const unions: readonly CodeKeywordDefinition[] = (['anyOf', 'oneOf'] as const).map((keyword) => ({
  keyword,
  schemaType: 'array',
  trackErrors: true,
  error: {
    message: 'fits none',
    params: ({ params }) => _`{spans: ${params['spans'] as Name}, passing: ${params['passing'] as Name}}`,
  },
  code(cxt) {
    const { gen } = cxt
    const spans = gen.const('spans', _`[]`)
    const passing = gen.const('passing', _`[]`)
    const valid = gen.name('_valid')
    cxt.setParams({ spans, passing })
    gen.block(() => {
      for (const index of (cxt.schema as readonly unknown[]).keys()) {
        const before = gen.const('before', errors)
        const branch = cxt.subschema({ keyword, schemaProp: index, compositeRule: true }, valid)
        gen.code(_`${spans}.push(${errors} - ${before})`)
        gen.if(valid, () => {
          gen.code(_`${passing}.push(${index})`)
          cxt.mergeEvaluated(branch, Name)
        })
      }
    })
    const fits = keyword === 'anyOf' ? _`${passing}.length > 0` : _`${passing}.length === 1`
    cxt.result(
      fits,
      () => cxt.reset(),
      () => cxt.error(true),
    )
  },
}))

/** How many errors there are so far, in the code that Ajv writes. */
const errors = new Name('errors')
