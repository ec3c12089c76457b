import { unshowable } from '../../kernel/one-line.ts'
import type { UploadFault } from './uploaded.ts'

/** What is wrong with the name of a file: it may lead elsewhere, hide what it is, or be one that no disk takes (CWE-22). */
export function faultOfName(name: string): UploadFault | undefined {
  const wrong = faults.find(([, is]) => is(name))
  return wrong === undefined
    ? undefined
    : { rule: 'upload/name', message: `expected a plain file name, got ${wrong[0]}` }
}

const bytesMax = 255

const faults: readonly (readonly [what: string, is: (name: string) => boolean])[] = [
  ['an empty one', (name) => name.trim() === ''],
  [`one of more than ${bytesMax} bytes`, (name) => Buffer.byteLength(name) > bytesMax],
  ['one with `..`', (name) => name.includes('..')],
  ['one with `/`, `\\` or their look-alikes', (name) => /[/\\\u2044\u2215\u29f8\ufe68\uff0f\uff3c]/u.test(name)],
  ['one with `~`', (name) => name.includes('~')],
  [
    'one with characters that cannot be seen',
    (name) => unshowable.test(name) || /[\u200b-\u200d\u2060\ufeff]/u.test(name),
  ],
  ['one with an encoded character', (name) => /%[0-9a-f]{2}/i.test(name)],
  ['one with characters that disks refuse', (name) => /[<>:"|?*]/.test(name)],
  ['one that begins with a dot, or ends in a dot or a space', (name) => /^\.|[. ]$/.test(name)],
  [
    'one that some servers run for what stands before its ending',
    (name) => /\.(?:php[0-9s]?|phtml|phar|pht|aspx?|ashx|asmx|asa|jspx?|jspf|cgi|cfm|shtml)[.;]/i.test(name),
  ],
  [
    'the name of a device',
    (name) => /^(?:con|prn|aux|nul|com[0-9\u00b9\u00b2\u00b3]|lpt[0-9\u00b9\u00b2\u00b3])(?:\.|$)/i.test(name),
  ],
  ['one that is not well-formed Unicode', (name) => !name.isWellFormed()],
]
