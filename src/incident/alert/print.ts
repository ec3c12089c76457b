import { factsOf, lineOf } from './bodies.ts'
import type { Channel } from './channel.ts'
import type { ConsoleOptions } from './options.ts'
import { headline, type Message, toldMax } from './told.ts'

/** Prints on standard output: a line of JSON, or one to read. */
export function openConsole({ format }: ConsoleOptions, print: (line: string) => void): Channel {
  return {
    kind: 'sends',
    close: async () => {},
    async send(message) {
      print(format === 'json' ? jsonLine(message) : textLine(message))
      return 'told'
    },
  }
}

function jsonLine(message: Message): string {
  const { id, at, told } = message
  const incidents = told.slice(0, toldMax)
  return JSON.stringify({ alert: id, at: new Date(at).toISOString(), summary: headline(message), incidents })
}

/** One line, whatever is in it: no line break begins another, and no escape moves the cursor. */
function textLine(message: Message): string {
  const { told } = message
  const facts = told.length === 1 ? factsOf(told[0]) : told.slice(0, toldMax).map(lineOf)
  const text = [`ALERT ${headline(message)}`, ...facts.filter((fact) => fact !== '')].join(' | ')
  return text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ')
}
