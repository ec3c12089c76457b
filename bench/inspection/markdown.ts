import { heading, paragraph, sentence } from './prose.ts'
import type { Seeded } from './seeded.ts'

/** A part of a document for programmers: a heading, a paragraph, a list, a table, or code. Each fifth is a heading. */
export function markdownPiece(seeded: Seeded, at: number): string {
  return at % 5 === 0 ? `## ${heading(seeded)}` : seeded.from(makers)(seeded)
}

const makers: readonly ((seeded: Seeded) => string)[] = [
  (seeded) => fenced(seeded.from(fences)),
  (seeded) => fenced(seeded.from(fences)),
  paragraph,
  (seeded) => `Then run \`${seeded.from(commands)}\` and look at [the guide](${link(seeded)}). ${sentence(seeded)}`,
  (seeded) =>
    Array.from({ length: 3 }, () => `- **${seeded.from(options)}**: ${lowerFirst(sentence(seeded))}`).join('\n'),
  (seeded) =>
    [
      '| option | default | what it does |',
      '| --- | --- | --- |',
      ...Array.from(
        { length: 3 },
        () => `| \`${seeded.from(options)}\` | \`${seeded.below(900)}\` | ${sentence(seeded)} |`,
      ),
    ].join('\n'),
  (seeded) => `> ${sentence(seeded)}\n> ${sentence(seeded)}`,
]

function fenced([language, code]: readonly [string, string]): string {
  return `\`\`\`${language}\n${code}\n\`\`\``
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1)
}

function link(seeded: Seeded): string {
  return `https://docs.example.com/guide/${seeded.from(options)}?version=${seeded.below(9)}&lang=en#${seeded.from(options)}`
}

const options = ['timeout', 'max-retries', 'log_level', 'cacheSize', 'base-url', 'workers', 'dry-run', 'pageSize']

const commands = ['npm run build', 'make -j4 install', 'git rebase main', 'docker compose up -d', 'python -m venv env']

const fences: readonly (readonly [language: string, code: string])[] = [
  [
    'ts',
    "import { open } from './store.ts'\n\nexport async function total(items: readonly Item[]): Promise<number> {\n  const rates = await open('rates')\n  return items.reduce((sum, { price, count }) => sum + price * count * (rates[0] ?? 1), 0)\n}",
  ],
  [
    'sql',
    "SELECT name, count(*) AS orders\nFROM customers JOIN orders ON orders.customer = customers.id\nWHERE country = 'CH' AND created > '2024-01-01'\nGROUP BY name\nORDER BY orders DESC\nLIMIT 20;",
  ],
  ['sh', 'for file in docs/*.md; do\n  echo "checking $file"\n  markdown-lint "$file" || exit 1\ndone'],
  [
    'python',
    "def mean(values):\n    '''The mean of a list; 0.0 for none.'''\n    return sum(values) / len(values) if values else 0.0\n\nprint(f'{mean([1, 2, 3]):.2f}')",
  ],
  [
    'json',
    '{\n  "name": "example",\n  "version": "1.4.0",\n  "scripts": { "test": "node --test", "lint": "biome check ." }\n}',
  ],
  [
    'html',
    '<ul class="menu">\n  <li><a href="/about" title="About us">About</a></li>\n  <li><a href="/prices">Prices &amp; plans</a></li>\n</ul>',
  ],
  [
    'yaml',
    'services:\n  web:\n    image: example/web:1.4\n    ports: ["8080:80"]\n    environment:\n      LOG_LEVEL: info',
  ],
]
