import { heading, sentence } from './prose.ts'
import type { Seeded } from './seeded.ts'

/** An order of a shop, as an API sends it: ids, times, amounts, a few words. */
export function orderOf(seeded: Seeded): Record<string, unknown> {
  return {
    id: uuid(seeded),
    created_at: time(seeded),
    updated_at: time(seeded),
    status: seeded.from(['open', 'paid', 'sent', 'returned']),
    customer: { first_name: seeded.from(firstNames), country: seeded.from(['CH', 'DE', 'FR', 'US']), member: true },
    lines: Array.from({ length: 1 + seeded.below(3) }, () => ({
      sku: `${seeded.letters(3, capitals)}-${seeded.letters(2, digits)}-${seeded.letters(2, capitals)}`,
      title: heading(seeded),
      quantity: 1 + seeded.below(5),
      price: seeded.below(20_000) / 100,
      image: `https://cdn.example.com/img/${seeded.letters(8, hex)}.webp?w=640&h=480`,
    })),
    note: seeded.below(3) === 0 ? sentence(seeded) : null,
    tags: [seeded.from(tags), seeded.from(tags)],
    checksum: seeded.letters(64, hex),
    weight_kg: seeded.below(9000) / 1000,
    gift: seeded.below(2) === 0,
  }
}

export function uuid(seeded: Seeded): string {
  return [8, 4, 4, 4, 12].map((count) => seeded.letters(count, hex)).join('-')
}

function time(seeded: Seeded): string {
  const two = (below: number): string => String(seeded.below(below)).padStart(2, '0')
  return `2024-0${1 + seeded.below(9)}-1${seeded.below(10)}T${two(24)}:${two(60)}:${two(60)}.${seeded.letters(3, digits)}Z`
}

const hex = '0123456789abcdef'
const digits = '0123456789'
const capitals = 'ABCDEFGHKLMNPRSTUVWXYZ'
const firstNames = ['Ann', 'Zoë', "D'Arcy", 'Björn', 'Łukasz', 'Mei', 'Omar', 'Siobhán']
const tags = ['new', 'gift', 'summer-sale', 'fragile', 'b2b', 'priority']

/** One message of a conversation with a model. */
export function chatMessage(seeded: Seeded, at: number): { readonly role: string; readonly content: string } {
  if (at === 0)
    return {
      role: 'system',
      content: 'You are a friendly assistant of a furniture shop. Answer in two or three sentences.',
    }
  if (at % 2 === 1) return { role: 'user', content: `${seeded.from(questions)} ${sentence(seeded)}` }
  const answer = `${seeded.from(answers)} ${sentence(seeded)} ${sentence(seeded)}`
  return {
    role: 'assistant',
    content: seeded.below(4) === 0 ? `${answer}\n\n1. ${sentence(seeded)}\n2. ${sentence(seeded)}` : answer,
  }
}

const questions = [
  'Can you help me with something?',
  'How do I write a query that counts orders by country?',
  "What's the difference between the two plans?",
  'Could you rewrite this so that it sounds friendlier?',
  'I forgot my password, what now?',
  'Translate this into French, please:',
  'Why does `items.map(x => x.id)` return undefined in my script?',
  'Summarise the following in one sentence:',
]

const answers = [
  'Of course!',
  'Good question.',
  'You could try this:',
  'Short answer: yes, but it depends on what you need.',
  'I’m sorry to hear that.',
  'Here is a shorter version.',
]

/** A comment as an editor in a browser makes it. */
export function comment(seeded: Seeded): string {
  const said = escaped(sentence(seeded))
  const more = escaped(sentence(seeded))
  return seeded.from([
    `<p>${said} <b>${more}</b></p>`,
    `<p>${said}<br>${more} <a href="https://example.com/p/${seeded.below(999)}" title="more">more</a></p>`,
    `<p><em>${said}</em> ${more} <span style="color:#333" class="x">${escaped(heading(seeded))}</span></p>`,
    `<div><p><strong>${said}</strong></p><ul><li>${more}</li></ul></div>`,
  ])
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}
