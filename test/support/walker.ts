// Walks through pages as a browser does, without one: cookies by path, redirects, forms, and pages that lead on.
import assert from 'node:assert/strict'

export interface Stop {
  readonly url: URL
  readonly status: number
  readonly text: string
  readonly headers: Headers
}

interface Cookie {
  readonly value: string
  readonly path: string
}

/** Somebody at a browser. It stops where a page waits for them, or where the way leaves `origin`. */
export class Walker {
  readonly #origin: string
  readonly #jar = new Map<string, Cookie>()
  /** What a browser would say of where a navigation began. */
  site: 'none' | 'same-origin' | 'cross-site' = 'none'

  constructor(origin: string) {
    this.#origin = origin
  }

  /** Opens an address and follows where it leads. */
  go(address: string | URL): Promise<Stop> {
    return this.#walk(new URL(address, this.#origin), { method: 'GET' })
  }

  /** Fills in a form of a page and sends it; fields that it holds unseen go along. `value` presses the button of that value. */
  send(stop: Stop, fields: Readonly<Record<string, string>>, action?: string): Promise<Stop> {
    const forms = [...stop.text.matchAll(/<form[^>]*method="post"[^>]*action="([^"]*)"[^>]*>([\s\S]*?)<\/form>/g)]
    const form = forms.find(([, to]) => action === undefined || plain(to ?? '').includes(action))
    assert.ok(form, `no form ${action ?? ''} on ${stop.url}: ${stop.text}`)
    const [, to = '', body = ''] = form
    const sent = new URLSearchParams()
    for (const [tag] of body.matchAll(/<input[^>]*type="hidden"[^>]*>/g)) {
      const name = /name="([^"]*)"/.exec(tag)?.[1]
      if (name !== undefined) sent.set(plain(name), plain(/value="([^"]*)"/.exec(tag)?.[1] ?? ''))
    }
    for (const [name, value] of Object.entries(fields)) sent.set(name, value)
    this.site = 'same-origin'
    return this.#walk(new URL(plain(to), stop.url), {
      method: 'POST',
      body: sent.toString(),
      headers: { 'content-type': 'application/x-www-form-urlencoded', origin: this.#origin },
    })
  }

  /** What it holds of a cookie by now. */
  cookie(name: string): string | undefined {
    return this.#jar.get(name)?.value
  }

  /** Loses a cookie. */
  forget(name: string): void {
    this.#jar.delete(name)
  }

  async #walk(start: URL, first: RequestInit): Promise<Stop> {
    let url = start
    let init = first
    for (let steps = 0; steps < 25; steps++) {
      if (url.origin !== this.#origin) return { url, status: 0, text: '', headers: new Headers() }
      const strict = this.site !== 'cross-site'
      const cookie = [...this.#jar]
        .filter(([name, { path }]) => url.pathname.startsWith(path) && (strict || !name.startsWith('__Host-')))
        .map(([name, { value }]) => `${name}=${value}`)
        .join('; ')
      const headers = { ...init.headers, ...(cookie === '' ? {} : { cookie }), 'sec-fetch-site': this.site }
      const answer = await fetch(url, { ...init, headers, redirect: 'manual' })
      for (const line of answer.headers.getSetCookie()) this.#keep(line)
      const text = await answer.text()
      const location = answer.headers.get('location')
      const refresh = /<meta http-equiv="refresh" content="0;url=([^"]*)"/.exec(text)?.[1]
      if (location === null && refresh === undefined)
        return { url, status: answer.status, text, headers: answer.headers }
      if (location === null) this.site = 'same-origin' // a page of this origin leads on
      url = new URL(location ?? plain(refresh ?? ''), url)
      init = { method: 'GET' }
    }
    throw new Error(`went in circles, last at ${url}`)
  }

  #keep(line: string): void {
    const [pair = '', ...attributes] = line.split(/;\s*/)
    const at = pair.indexOf('=')
    const path = attributes.find((one) => /^path=/i.test(one))?.slice(5) ?? '/'
    const gone = /expires=thu, 01 jan 1970|max-age=0/i.test(line)
    if (gone) this.#jar.delete(pair.slice(0, at))
    else this.#jar.set(pair.slice(0, at), { value: pair.slice(at + 1), path })
  }
}

/** What an attribute says. */
function plain(text: string): string {
  return text
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&#96;', '`')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&')
}
