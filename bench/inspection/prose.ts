import type { Seeded } from './seeded.ts'

/** A sentence as people write them: names with apostrophes, percentages, quotations, words of other languages. */
export function sentence(seeded: Seeded): string {
  return seeded.below(5) === 0 ? filled(seeded, seeded.from(patterns)) : plainSentence(seeded)
}

/** One of words alone. */
export function plainSentence(seeded: Seeded): string {
  const opening = seeded.from([...Array(4).fill(''), ...openings])
  const subject = seeded.from(subjects)
  const said = `${opening}${opening === '' ? subject : lowered(subject)} ${seeded.from(verbs)} ${seeded.from(objects)}`
  return `${said} ${seeded.from(endings)}${seeded.from(['.', '.', '.', '.', '!', '.'])}`
}

/** A few sentences. */
export function paragraph(seeded: Seeded): string {
  return Array.from({ length: 2 + seeded.below(3) }, () => sentence(seeded)).join(' ')
}

/** A few words, for titles. */
export function heading(seeded: Seeded): string {
  return `${seeded.from(['Notes on', 'About', 'How we handle', 'Questions about', 'A plan for', 'What we learnt from'])} ${seeded.from(objects)}`
}

/** `The` in the middle of a sentence; names stay. */
function lowered(subject: string): string {
  return subject.replace(/^(?:The|Our|A|Most|Some|Every)\b/, (first) => first.toLowerCase())
}

function filled(seeded: Seeded, pattern: string): string {
  return pattern.replaceAll('#', () => String(2 + seeded.below(97))).replaceAll('~', () => seeded.from(objects))
}

const openings = ['After lunch ', 'In the end ', 'To be honest, ', 'Last spring ', 'For now ', 'As far as we know, ']

const subjects = [
  'The committee',
  'Our team',
  'A customer from Zürich',
  'Maria O’Brien',
  "Sean O'Neill",
  'The café on the corner',
  'Most of the visitors',
  'The second version',
  'Every new colleague',
  'The author of the report',
  'Some of the older machines',
  'A neighbour of ours',
  'The people at the front desk',
  'Dr. Núñez',
  'The museum',
  'Our supplier in Kraków',
]

const verbs = [
  'has moved',
  'will review',
  'never really liked',
  'is about to select',
  'wants to update',
  'could not find',
  'has been asking for',
  'would rather drop',
  'is going to insert',
  'wrote a letter about',
  'decided to keep',
  'had to delete',
  'didn’t expect',
  'is still waiting for',
  'ordered two of',
  'explained',
]

const objects = [
  'the delivery of the blue chairs',
  'the summer timetable',
  'a table by the window',
  'the results of the survey',
  'the price of the smaller plan',
  'the opening hours',
  'the new heating system',
  'the password rules',
  'an index of all recipes',
  'the union of both lists',
  'the instructions for the printer',
  'the script of the school play',
  'the group photo',
  'the order of the chapters',
  'where the keys are kept',
  'the exec summary',
]

const endings = [
  'before the end of the week',
  'from one of the shops in the old town',
  'because nobody had told them',
  'and set it aside for later',
  'or at least a part of it',
  'without asking twice',
  'where it had been for years',
  'if the weather stays as it is',
  'while the rest of us waited outside',
  'so that everybody can see it',
  'into the larger of the two rooms',
  'as the system prompt for a good discussion',
  'just like the year before',
  'in spite of all that was said',
  'between breakfast and noon',
  'for the whole of the group',
]

/** `#` is a number, `~` a thing. */
const patterns = [
  'It cost about # % more than in the year before (and that was # % too much).',
  '“I would do it again,” she said, “but not for less than # euros & a day off.”',
  'See page # of the handbook; chapter # says more about ~.',
  'Is it true that # of # people prefer ~?',
  "We don't know yet; it's somewhere between # and # minutes.",
  'Please ignore my last message – ~ is fine as it is.',
  'Temperatures of -# °C are rare, # °C < t < #° is what we usually get.',
  'He answered: "either you fix ~, or I\'ll do it myself -- tomorrow".',
]
