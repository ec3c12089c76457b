// Gatehouse: its parts one by one, and all of them as the gate asks for them.
import type { Sink, Source } from '../../src/http/source.ts'
import { openDataScreen } from '../../src/inspection/data-screen.ts'
import { viewsOf } from '../../src/inspection/decode/views.ts'
import { openExamination } from '../../src/inspection/examination/examine.ts'
import type { ExaminationPlan } from '../../src/inspection/examination/plan.ts'
import type { Field } from '../../src/inspection/field.ts'
import { fieldBounds, type RequestParts, requestFields } from '../../src/inspection/fields/request.ts'
import type { ProfileName } from '../../src/inspection/html/profiles.ts'
import { openSanitiser } from '../../src/inspection/html/sanitiser.ts'
import type { Detector } from '../../src/inspection/injection/detector.ts'
import { detectors } from '../../src/inspection/injection/detectors.ts'
import { openInjection } from '../../src/inspection/injection/injection.ts'
import { judge } from '../../src/inspection/injection/judge.ts'
import { type PersonalKind, personalKindNames, usualKinds } from '../../src/inspection/personal/kinds.ts'
import { openRedaction } from '../../src/inspection/personal/redact.ts'
import { openPersonalScanner } from '../../src/inspection/personal/scanner.ts'
import { openPromptCheck } from '../../src/inspection/prompts/check.ts'
import { checkBySchema } from '../../src/inspection/schema/body.ts'
import { openSecretScanner } from '../../src/inspection/secrets/scanner.ts'
import { redactBody } from '../../src/inspection/stream/redact-body.ts'
import { screenSource } from '../../src/inspection/stream/screen-source.ts'
import { type Body, type Kind, kinds } from './bodies.ts'
import { eventsOf, textOfEvents } from './events.ts'
import type { Open, Tool } from './jobs.ts'
import { schemas } from './schemas.ts'

export const open: Open = (name) => {
  const [sort, which = ''] = name.split(' ')
  if (sort === 'family') return family(detectors.filter((detector) => detector.family === which))
  if (sort === 'html') return html(which as ProfileName)
  if (sort === 'text') return redactionOfTexts(which)
  const make = makers[name]
  if (make === undefined) throw new Error(`expected a job that there is, got \`${name}\``)
  return make()
}

const key = new Uint8Array(32).fill(7)
const bounds = fieldBounds(1_048_576)

const makers: Readonly<Record<string, () => Tool>> = {
  fields: () => ({
    prepare: (body) => ({ input: partsOf(body), bytes: body.bytes.byteLength }),
    run: (parts: RequestParts) => fieldsIn(parts).length,
  }),
  schema() {
    const checks = byKind((kind) => checkBySchema(schemas[kind]))
    return {
      prepare: ({ kind, bytes }) => ({ input: { kind, bytes }, bytes: bytes.byteLength }),
      run({ kind, bytes }: { readonly kind: Kind; readonly bytes: Uint8Array }) {
        const verdict = checks[kind](bytes)
        if (!('value' in verdict)) throw new Error(`${kind} does not fit its schema: ${JSON.stringify(verdict)}`)
        return 1
      },
    }
  },
  views: () => onFields(({ text }) => viewsOf(text).views.length),
  injection() {
    const injection = made(openInjection({ mode: 'log' }))
    return {
      prepare: fieldsOf,
      run: (fields: readonly Field[]) => injection.judge(fields).findings.length,
      finds: (text) => injection.judge([fieldWith(text)]).score >= 0.5,
    }
  },
  prompts() {
    const prompts = made(openPromptCheck({ requests: 'log' }))
    return {
      prepare: fieldsOf,
      run: (fields: readonly Field[]) => prompts.judge(fields).findings.length,
      finds: (text) => prompts.judge([fieldWith(text)]).score >= 0.5,
    }
  },
  personal: () => scanning(usualKinds),
  'personal-all': () => scanning(personalKindNames),
  secrets() {
    const scanner = openSecretScanner()
    return onFields(({ text, name }) => scanner.scan(text, name).length)
  },
  redaction() {
    const redactor = made(made(openDataScreen({ ...redacted, of: 'requests', key })).redactor)
    const redact = (bytes: Uint8Array): Uint8Array => {
      const outcome = redactBody(bytes, 'application/json', redactor)
      if (!('bytes' in outcome)) throw new Error('expected a body that can be redacted')
      return outcome.bytes
    }
    return {
      prepare: ({ bytes }) => ({ input: bytes, bytes: bytes.byteLength }),
      run: (bytes: Uint8Array) => redact(bytes).byteLength,
      rewrite: (text) => JSON.parse(Buffer.from(redact(Buffer.from(JSON.stringify({ text })))).toString()).text,
    }
  },
  events() {
    const redactor = made(made(openDataScreen({ ...redacted, of: 'answers', key })).redactor)
    const screen = (events: readonly Uint8Array[], sink: Sink): void => {
      const head = { contentType: 'text/event-stream', contentEncoding: undefined }
      const screening = screenSource(new Arriving(events), head, redactor)
      if (!('body' in screening) || screening.body instanceof Uint8Array) throw new Error('expected a stream')
      screening.body.flow(sink)
    }
    return {
      prepare({ text, bytes }) {
        const events = eventsOf(text.slice(0, Math.ceil(bytes.byteLength / perChar)))
        return { input: events, bytes: events.reduce((sum, { byteLength }) => sum + byteLength, 0) }
      },
      run(events: readonly Uint8Array[]) {
        let written = 0
        screen(
          events,
          sinkOf((bytes) => void (written += bytes.byteLength)),
        )
        return written
      },
      rewrite(text) {
        const chunks: Uint8Array[] = []
        screen(
          eventsOf(text),
          sinkOf((bytes) => void chunks.push(bytes)),
        )
        return textOfEvents(Buffer.concat(chunks).toString())
      },
    }
  },
  head() {
    const examination = made(openExamination(plan))
    return {
      prepare: ({ bytes }) => ({ input: { ...requestWith(bytes), body: undefined }, bytes: bytes.byteLength }),
      run(parts: RequestParts) {
        const examined = examination.examine(parts)
        if (examined instanceof Promise || examined.score > 0) throw new Error('expected a head in which nothing is')
        return 1
      },
    }
  },
  everything() {
    const examinations = byKind((kind) => made(openExamination({ ...plan, schema: schemas[kind] })))
    const examine = (kind: Kind, parts: RequestParts) => {
      const examined = examinations[kind].examine(parts)
      if (examined instanceof Promise) throw new Error('expected an answer at once: there are no files')
      if (examined.refused !== undefined) throw new Error(`${kind} is refused: ${JSON.stringify(examined.refused)}`)
      if (kind !== 'planted' && (examined.score >= 0.5 || examined.body !== undefined))
        throw new Error(`something is found in ${kind}: ${JSON.stringify(examined.findings)}`)
      return examined
    }
    return {
      prepare: (body) => ({ input: { kind: body.kind, parts: partsOf(body) }, bytes: body.bytes.byteLength }),
      run: ({ kind, parts }: { readonly kind: Kind; readonly parts: RequestParts }) =>
        examine(kind, parts).findings.length,
      finds: (text) => examine('planted', requestWith(Buffer.from(JSON.stringify({ value: text })))).score >= 0.5,
      rewrite(text) {
        const bytes = Buffer.from(JSON.stringify({ text }))
        return JSON.parse(Buffer.from(examine('planted', requestWith(bytes)).body?.bytes ?? bytes).toString()).text
      },
    }
  },
}

/** Bytes of a stream for each character that comes in it. */
const perChar = 33

const redacted = {
  pii: { requests: 'redact', answers: 'redact' },
  secrets: { requests: 'redact', answers: 'redact' },
} as const

/** Attacks are noted and not refused, since what is refused is looked at no further. */
const plan: ExaminationPlan = {
  injection: { mode: 'log' },
  prompts: { requests: 'log' },
  ...redacted,
  uploads: undefined,
  html: { '/title': 'none', '/summary': 'links' },
  texts: 'unwanted',
  schema: undefined,
  bodyBytesMax: 1_048_576,
  key,
}

/** A detector alone, or none, behind the decoding that all of them share. */
function family(wanted: readonly Detector[]): Tool {
  return {
    ...onFields((field) => judge(field, wanted).length),
    finds: (text) => judge(fieldWith(text), wanted).some(({ confidence }) => confidence >= 0.5),
  }
}

function html(profile: ProfileName): Tool {
  const sanitise = openSanitiser(profile)
  return {
    prepare: ({ text }) => ({ input: text, bytes: Buffer.byteLength(text) }),
    run: (text: string) => sanitise(text).length,
    rewrite: sanitise,
  }
}

const kindsOfTexts: Readonly<Record<string, readonly PersonalKind[]>> = {
  four: ['email', 'phone', 'card', 'ip'],
  seven: ['email', 'phone', 'card', 'ip', 'ssn', 'address', 'url'],
  all: personalKindNames,
}

/** As the others are asked: a text in, a text out. */
function redactionOfTexts(which: string): Tool {
  const personal = openPersonalScanner({ kinds: made(kindsOfTexts[which]) })
  const secrets = which === 'all' ? openSecretScanner() : undefined
  const redaction = openRedaction()
  const redact = (text: string): string => {
    const clean = redaction.redact(text, personal.scan(text))
    return secrets === undefined ? clean : redaction.redact(clean, secrets.scan(clean))
  }
  return {
    prepare: ({ text }) => ({ input: text, bytes: Buffer.byteLength(text) }),
    run: (text: string) => redact(text).length,
    rewrite: redact,
  }
}

function scanning(wanted: readonly PersonalKind[]): Tool {
  const scanner = openPersonalScanner({ kinds: wanted })
  return onFields(({ text, name, role }) => (role === 'name' ? 0 : scanner.scan(text, name).length))
}

function onFields(look: (field: Field) => number): Tool {
  return {
    prepare: fieldsOf,
    run(fields: readonly Field[]) {
      let sum = 0
      for (const field of fields) sum += look(field)
      return sum
    },
  }
}

/** The fields of a body, without those of the head. */
function fieldsOf(body: Body): { readonly input: readonly Field[]; readonly bytes: number } {
  return { input: fieldsIn(partsOf(body)).filter(({ place }) => place.in === 'body'), bytes: body.bytes.byteLength }
}

function fieldsIn(parts: RequestParts): readonly Field[] {
  const read = requestFields(parts, bounds)
  if ('problem' in read) throw new Error(read.problem)
  return read.fields
}

function partsOf({ bytes }: Body): RequestParts {
  return requestWith(bytes)
}

/** A request as a browser sends one. */
function requestWith(body: Uint8Array): RequestParts {
  return {
    path: '/v1/items',
    params: {},
    query: 'page=2&sort=created_at&q=garden+chairs&lang=en',
    headers: [
      ['Host', 'api.example.com'],
      ['User-Agent', 'Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0'],
      ['Accept', 'application/json, text/plain;q=0.9, */*;q=0.8'],
      ['Accept-Language', 'en-GB,en;q=0.7,de;q=0.3'],
      ['Accept-Encoding', 'gzip, deflate, br'],
      ['Content-Type', 'application/json'],
      ['Content-Length', String(body.byteLength)],
      ['Origin', 'https://shop.example.com'],
      ['Referer', 'https://shop.example.com/items?page=2'],
      ['Cookie', 'theme=dark; lang=en; seen=1'],
      ['Connection', 'keep-alive'],
    ].flat(),
    contentType: 'application/json',
    body,
  }
}

/** A text as a field that nothing is known of. */
function fieldWith(text: string): Field {
  return { place: { in: 'body', at: '/value' }, name: 'value', text, role: 'unknown' }
}

function byKind<T>(make: (kind: Kind) => T): Readonly<Record<Kind, T>> {
  return Object.fromEntries(kinds.map((kind) => [kind, make(kind)])) as Record<Kind, T>
}

function made<T>(one: T | undefined): T {
  if (one === undefined) throw new Error('expected something that looks, got nothing')
  return one
}

function sinkOf(chunk: (bytes: Uint8Array) => void): Sink {
  return {
    chunk,
    end() {},
    fail(error) {
      throw error
    },
  }
}

/** An answer of which each event comes by itself. */
class Arriving implements Source {
  readonly #events: readonly Uint8Array[]

  constructor(events: readonly Uint8Array[]) {
    this.#events = events
  }

  flow(sink: Sink): void {
    for (const event of this.#events) sink.chunk(event)
    sink.end([])
  }

  pause(): void {}
  resume(): void {}
  abort(): void {}
}
