/** What is wrong with a text that has to be well-formed as XML, but for its doctype; undefined where nothing is. */
export function problemIn(html: string): string | undefined {
  const open: string[] = []
  const token =
    /<!doctype html>|<style>[^<]*<\/style>|<(\/?)([a-z][a-z0-9]*)((?:\s+[a-zA-Z][a-zA-Z0-9:-]*="[^"<]*")*)\s*(\/?)>|&(?:#\d+|amp|lt|gt|quot);|[^<&]+|[<&]/gy
  for (let match = token.exec(html); match !== null; match = token.exec(html)) {
    const [text, closes, name = '', , alone] = match
    if (text === '<' || text === '&')
      return `a stray \`${text}\` at ${match.index}: ${html.slice(match.index, match.index + 60)}`
    if (match[2] === undefined) continue
    if (closes === '/') {
      const last = open.pop()
      if (last !== name) return `</${name}> closes <${last}> at ${match.index}`
    } else if (alone !== '/') open.push(name)
  }
  return open.length === 0 ? undefined : `<${open.at(-1)}> is never closed`
}
