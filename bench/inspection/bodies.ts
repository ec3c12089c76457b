import { chatMessage, comment, orderOf, uuid } from './documents.ts'
import { markdownPiece } from './markdown.ts'
import { attempts, orderToModel, plantedEvery, plantedKinds, plantedSentence } from './planted.ts'
import { heading, plainSentence, sentence } from './prose.ts'
import { Seeded } from './seeded.ts'

/** What bodies are made of. In all but `planted` nothing is to be found. */
export const kinds = ['prose', 'json', 'markdown', 'chat', 'planted', 'html'] as const
export type Kind = (typeof kinds)[number]

export const kindTitles: Readonly<Record<Kind, string>> = {
  prose: 'prose',
  json: 'JSON documents',
  markdown: 'Markdown with code',
  chat: 'chat messages',
  planted: 'planted',
  html: 'HTML',
}

/** Bytes of the body of a request; and how many of them, no two the same, are looked at in turn. */
export const sizes = [1_024, 4_096, 102_400] as const
export type Size = (typeof sizes)[number]
const countOf: Readonly<Record<Size, number>> = { 1024: 64, 4096: 32, 102400: 6 }

export interface Body {
  readonly kind: Kind
  /** The text itself: prose, a document, a conversation. */
  readonly text: string
  /** The request that holds it, as JSON. */
  readonly bytes: Uint8Array
  /** The values that are planted in its text. */
  readonly planted: readonly string[]
}

/** The same ones in every process of a run. */
export function bodiesOf(kind: Kind, size: Size): readonly Body[] {
  return Array.from({ length: countOf[size] }, (_, at) => bodyOf(kind, size, at))
}

function bodyOf(kind: Kind, size: Size, at: number): Body {
  const seeded = new Seeded(size * 1_000 + at)
  const head = headOf(kind, seeded, at)
  const pieces: Piece[] = []
  let bytes = JSON.stringify(requestOf(kind, head, [])).length
  for (;;) {
    const piece = pieceOf(kind, seeded, at + pieces.length, pieces.length)
    bytes += Buffer.byteLength(JSON.stringify(piece.value)) + (typeof piece.value === 'string' ? -2 : 1)
    if (pieces.length > 0 && bytes > size * 1.02) break
    pieces.push(piece)
  }
  return {
    kind,
    text: textOf(kind, pieces),
    bytes: Buffer.from(JSON.stringify(requestOf(kind, head, pieces))),
    planted: pieces.flatMap(({ planted }) => planted ?? []),
  }
}

interface Piece {
  readonly value: string | object
  readonly planted?: string
}

/** `turn` is another one in each body, so that small ones do not all begin with the same. */
function pieceOf(kind: Kind, seeded: Seeded, turn: number, at: number): Piece {
  switch (kind) {
    case 'prose':
      return { value: `${sentence(seeded)}${seeded.below(4) === 0 ? '\n\n' : ' '}` }
    case 'json':
      return { value: orderOf(seeded) }
    case 'markdown':
      return { value: `${markdownPiece(seeded, at)}\n\n` }
    case 'chat':
      return { value: chatMessage(seeded, at) }
    case 'planted': {
      const { text, value } = plantedSentence(
        plantedKinds[turn % plantedKinds.length] as (typeof plantedKinds)[number],
        seeded,
      )
      let piece = `${text} `
      while (piece.length < plantedEvery) piece += `${sentence(seeded)} `
      return { value: piece, planted: value }
    }
    case 'html':
      return { value: comment(seeded) }
  }
}

/** What stands beside the text in a request. */
function headOf(kind: Kind, seeded: Seeded, at: number): Readonly<Record<string, unknown>> {
  const title = heading(seeded)
  switch (kind) {
    case 'prose':
    case 'html':
      return { id: uuid(seeded), title, summary: plainSentence(seeded) }
    case 'json':
      return { page: 1 + seeded.below(40), total: seeded.below(4_000), next: `/v1/orders?after=${uuid(seeded)}` }
    case 'markdown':
      return { path: `docs/${seeded.letters(8, 'abcdefgh')}.md`, title }
    case 'chat':
      return { model: 'gpt-oss-120b', temperature: 0.7, stream: true, user: uuid(seeded) }
    case 'planted': {
      const all = Object.values(attempts)
      return { id: uuid(seeded), title, value: all[at % all.length], prompt: orderToModel }
    }
  }
}

/** The member that holds the text of a request. */
const textMember: Readonly<Record<Kind, string>> = {
  prose: 'text',
  json: 'orders',
  markdown: 'content',
  chat: 'messages',
  planted: 'text',
  html: 'comment',
}

function requestOf(kind: Kind, head: Readonly<Record<string, unknown>>, pieces: readonly Piece[]): object {
  const values = pieces.map(({ value }) => value)
  return { ...head, [textMember[kind]]: kind === 'json' || kind === 'chat' ? values : values.join('') }
}

function textOf(kind: Kind, pieces: readonly Piece[]): string {
  const values = pieces.map(({ value }) => value)
  if (kind === 'json') return JSON.stringify(values)
  if (kind !== 'chat') return values.join('')
  return (values as { readonly role: string; readonly content: string }[])
    .map(({ role, content }) => `${role}: ${content}\n`)
    .join('')
}
