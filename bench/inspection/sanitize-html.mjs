// sanitize-html by itself, once over each text, with the same lists of what may stay.
import sanitizeHtml from 'sanitize-html'
import { profiles } from '../../src/inspection/html/profiles.ts'

export function open(name) {
  const { tags, attributes = {}, schemes = [] } = profiles[name.split(' ')[1]]
  const options = {
    allowedTags: [...tags],
    allowedAttributes: Object.fromEntries(Object.entries(attributes).map(([tag, names]) => [tag, [...names]])),
    allowedSchemes: [...schemes],
    allowProtocolRelative: false,
  }
  return {
    prepare: ({ text }) => ({ input: text, bytes: Buffer.byteLength(text) }),
    run: (text) => sanitizeHtml(text, options).length,
    rewrite: (text) => sanitizeHtml(text, options),
  }
}
