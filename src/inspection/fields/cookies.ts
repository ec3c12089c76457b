import type { FieldList } from './field-list.ts'
import { addText } from './json.ts'

/** Adds the cookies of a `Cookie` field (RFC 6265 §4.2.1), each as it was sent, without the quotation marks around it. */
export function addCookies(list: FieldList, field: string): void {
  for (const pair of field.split(';')) {
    const equals = pair.indexOf('=')
    const name = (equals < 0 ? '' : pair.slice(0, equals)).trim()
    const value = pair.slice(equals + 1).trim()
    list.name('cookie', name, name)
    addText(list, 'cookie', name, name, unquoted(value))
  }
}

function unquoted(value: string): string {
  return value.length >= 2 && value.startsWith('"') && value.endsWith('"') ? value.slice(1, -1) : value
}
