import { families } from '../../src/inspection/injection/detector.ts'
import type { Body, Kind } from './bodies.ts'
import { type PlantedKind, plantedKinds } from './planted.ts'

/** Something that is done to bodies, by us or by another. */
export interface Job {
  readonly name: string
  readonly title: string
  /** The file beside this one that does it; it exports `open`. */
  readonly file: string
  /** Which table it belongs to. */
  readonly table: 'parts' | 'families' | 'data' | 'html'
  /** Theirs: the job of ours that does the same. */
  readonly against?: string
  /** What of the planted values it is there for. Most of them have to go before anything is timed. */
  readonly looksFor?: readonly PlantedKind[]
}

/** Makes ready to do the job of that name. */
export type Open = (name: string) => Tool | Promise<Tool>

export interface Tool {
  /** What the job is done on, made of a body beforehand; and how many bytes of text that is. */
  prepare(body: Body): { readonly input: unknown; readonly bytes: number }
  /** Does it, and tells how much came of it: what nobody asks for might not be done. */
  run(input: never): number | Promise<number>
  /** A text without what the job strikes out. */
  rewrite?(text: string): string | Promise<string>
  /** Whether the job finds what it is there for in a text. */
  finds?(text: string): boolean | Promise<boolean>
}

/** The kinds of bodies on which a job is done. */
export function kindsFor({ table }: Job): readonly Kind[] {
  return table === 'html' ? ['html', 'prose', 'markdown'] : ['prose', 'json', 'markdown', 'chat', 'planted']
}

const ours = 'gatehouse.ts'
const four: readonly PlantedKind[] = ['email', 'phone', 'card', 'ip']
const seven: readonly PlantedKind[] = [...four, 'ssn', 'address', 'url']
const usual: readonly PlantedKind[] = ['email', 'phone', 'card', 'ssn', 'iban', 'secret']

// biome-ignore format: a table
const parts: readonly Job[] = [
  { name: 'fields',       title: 'reading a request into fields',      file: ours, table: 'parts' },
  { name: 'schema',       title: 'JSON Schema, parsing included',      file: ours, table: 'parts' },
  { name: 'views',        title: 'decoding',                           file: ours, table: 'parts' },
  { name: 'injection',    title: 'injection, decoding included',       file: ours, table: 'parts' },
  { name: 'prompts',      title: 'prompts, decoding included',         file: ours, table: 'parts' },
  { name: 'personal',     title: 'personal data, the usual kinds',     file: ours, table: 'parts' },
  { name: 'personal-all', title: 'personal data, all kinds',           file: ours, table: 'parts' },
  { name: 'secrets',      title: 'secrets',                            file: ours, table: 'parts' },
  { name: 'redaction',    title: 'redaction of a JSON body',           file: ours, table: 'parts', looksFor: usual },
  { name: 'events',       title: 'screening of an event stream',       file: ours, table: 'parts', looksFor: usual },
  { name: 'head',         title: 'everything, of a head without body', file: ours, table: 'parts' },
  { name: 'everything',   title: '**everything, as the gate does it**', file: ours, table: 'parts', looksFor: usual },
]

/** Those that a detector stands for; `encoding` is told by what decodes. */
const ofFamilies: readonly Job[] = [
  { name: 'family none', title: 'no detector', file: ours, table: 'families' },
  ...Object.keys(families)
    .filter((family) => family !== 'encoding')
    .map((family): Job => ({ name: `family ${family}`, title: `\`${family}\``, file: ours, table: 'families' })),
]

// biome-ignore format: a table
const others: readonly Job[] = [
  { name: 'text seven',     title: '**Gatehouse**, seven kinds', file: ours,             table: 'data', looksFor: seven },
  { name: 'redact-pii',     title: 'redact-pii, seven kinds',    file: 'redact-pii.mjs', table: 'data', against: 'text seven', looksFor: seven },
  { name: 'text all',       title: '**Gatehouse**, all kinds and secrets', file: ours,   table: 'data', looksFor: plantedKinds },
  { name: 'redact-pii all', title: 'redact-pii, all that it looks for', file: 'redact-pii.mjs', table: 'data', against: 'text all', looksFor: seven },
  { name: 'text four',      title: '**Gatehouse**, four kinds',  file: ours,             table: 'data', looksFor: four },
  { name: 'arcjet',         title: '@arcjet/redact, four kinds', file: 'arcjet.mjs',     table: 'data', against: 'text four', looksFor: four },
  { name: 'html none',      title: '**Gatehouse**, `none`',      file: ours,             table: 'html' },
  { name: 'plain none',     title: 'sanitize-html, `none`',      file: 'sanitize-html.mjs', table: 'html', against: 'html none' },
  { name: 'html basic',     title: '**Gatehouse**, `basic`',     file: ours,             table: 'html' },
  { name: 'plain basic',    title: 'sanitize-html, `basic`',     file: 'sanitize-html.mjs', table: 'html', against: 'html basic' },
  { name: 'html links',     title: '**Gatehouse**, `links`',     file: ours,             table: 'html' },
  { name: 'plain links',    title: 'sanitize-html, `links`',     file: 'sanitize-html.mjs', table: 'html', against: 'html links' },
]

export const jobs: readonly Job[] = [...parts, ...ofFamilies, ...others]
