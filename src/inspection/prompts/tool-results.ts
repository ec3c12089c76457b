import type { Field } from '../field.ts'

/**
 * Which texts of a request are what a tool brought back, as the larger APIs of models write it: a message whose `role` is `tool`, a
 * block whose `type` is a result, or a member that is called so. Nobody has orders to give there.
 */
export function toolResultsIn(fields: readonly Field[]): (field: Field) => boolean {
  const within = new Set<string>()
  for (const { place, name, text } of fields) {
    if (place.in !== 'body' || text.length > wordMax) continue
    const says = name === 'role' ? roles : name === 'type' ? results : undefined
    if (says?.test(text)) within.add(parentOf(place.at))
  }
  return ({ place: { in: part, at } }) => {
    if (part !== 'body') return false
    if (members.test(at)) return true
    if (within.size === 0) return false
    for (
      let end = at.lastIndexOf('/'), steps = 0;
      end >= 0 && steps < stepsMax;
      end = at.lastIndexOf('/', end - 1), steps++
    ) {
      if (within.has(at.slice(0, end))) return true
      if (end === 0) break
    }
    return false
  }
}

const roles = /^(?:tool|function|ipython|observation)$/i
/** `tool_result`, `function_call_output`, `web_search_tool_result`, `mcp_tool_result`, `tool-result` */
const results = /^(?:[a-z]{1,20}[_-]){0,4}(?:tool|function|call|mcp)[_-](?:result|response|output)s?$/i
/** `functionResponse` of Gemini, `toolResult` of Bedrock, `tool_outputs` of OpenAI, `tool_results` of Cohere. */
const members = /\/(?:tool|function)_?(?:result|response|output)s?(?:\/|#|$)/i
const wordMax = 64
/** A result is not written deeper than so below what says that it is one. */
const stepsMax = 32

function parentOf(at: string): string {
  return at.slice(0, Math.max(0, at.lastIndexOf('/')))
}
