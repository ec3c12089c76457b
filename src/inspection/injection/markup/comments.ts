/** A script or a style sheet without its comments (ECMA-262 §12.4, CSS Syntax §4.3.2); one that has no end stays. */
export function withoutComments(text: string): string {
  let kept = ''
  let from = 0
  for (let open = text.indexOf('/*'); open !== -1; open = text.indexOf('/*', from)) {
    const close = text.indexOf('*/', open + 2)
    if (close === -1) break
    kept += text.slice(from, open)
    from = close + 2
  }
  return kept + text.slice(from)
}
