import { plain } from './codec.ts'
import { EventStream } from './event-stream.ts'
import { FormStream } from './form-stream.ts'
import { JsonLinesStream } from './json-lines-stream.ts'
import { JsonStream } from './json-stream.ts'
import { markupText } from './markup-codec.ts'
import type { ReadableSurface } from './media-type.ts'
import type { Redactions } from './redactions.ts'
import type { Redactor } from './redactor.ts'
import { openTextStream } from './text-stream.ts'
import type { TextTransform } from './transform.ts'

/** What rewrites texts of a surface. */
export function openTransform(
  surface: ReadableSurface,
  redactor: Redactor,
  redactions: Redactions,
  { deltas, eventMax }: { readonly deltas: readonly string[]; readonly eventMax: number },
): TextTransform {
  switch (surface) {
    case 'json':
      return new JsonStream({ redactor, redactions })
    case 'json lines':
      return new JsonLinesStream({ redactor, redactions, deltas })
    case 'events':
      return new EventStream({ redactor, redactions, deltas, eventMax })
    case 'form':
      return new FormStream(redactor, redactions)
    case 'markup':
      return openTextStream(redactor, redactions, markupText)
    case 'text':
      return openTextStream(redactor, redactions, plain)
  }
}
