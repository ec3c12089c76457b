import type { Outbound } from '../../http/message.ts'
import { sha256Hex } from '../../kernel/bytes.ts'
import type { Html } from './html.ts'
import type { PageOptions } from './options.ts'
import { passkeyScript } from './passkey-script.ts'
import { styleOf } from './style.ts'
import { chooseTexts, compileTexts, type Texts } from './texts.ts'

/** What every view is given: whose page it is, in which language, and where its forms go. */
export interface Page {
  readonly options: PageOptions
  readonly texts: Texts
  /** Where the pages live, such as `/auth`. */
  readonly base: string
  readonly style: Asset
  readonly script: Asset
}

/** A file that pages ask for. Its name changes with its content, so it may be kept for ever. */
export interface Asset {
  readonly path: string
  readonly mediaType: string
  readonly content: string
}

/** The paper that all pages are printed on, made once: `stationery.page(head.acceptLanguage)`. */
export interface Stationery {
  readonly assets: readonly Asset[]
  page(acceptLanguage: string | undefined): Page
}

export function prepareStationery(options: PageOptions, base: string): Stationery {
  const style = assetOf(`${base}/assets/style-`, '.css', 'text/css; charset=utf-8', styleOf(options.accent))
  const script = assetOf(`${base}/assets/passkey-`, '.js', 'text/javascript; charset=utf-8', passkeyScript)
  const known = compileTexts(options.name, options.translations)
  return {
    assets: [style, script],
    page: (acceptLanguage) => ({
      options,
      base,
      style,
      script,
      texts: chooseTexts(known, options.language, acceptLanguage),
    }),
  }
}

function assetOf(stem: string, ending: string, mediaType: string, content: string): Asset {
  return { path: `${stem}${sha256Hex(content).slice(0, 16)}${ending}`, mediaType, content }
}

/** An asset on its way out. */
export function assetResponse(asset: Asset): Outbound {
  const body = Buffer.from(asset.content)
  // biome-ignore format: a table of name and value
  const headers = [
    'Content-Type', asset.mediaType,
    'Content-Length', String(body.byteLength),
    'Cache-Control', 'public, max-age=31536000, immutable',
  ]
  return { status: 200, headers, body }
}

/**
 * A page on its way out. What a browser may do with it (the policy of its content and the like) is not said here: the gate
 * says it on every answer of a page's route, and a second policy beside the first would only narrow it.
 */
export function pageResponse(status: number, page: Html, ...headers: string[]): Outbound {
  const body = Buffer.from(page.toString())
  // biome-ignore format: a table of name and value
  const own = [
    'Content-Type', 'text/html; charset=utf-8',
    'Content-Length', String(body.byteLength),
    'Cache-Control', 'no-store',
    'Vary', 'Accept-Language',
  ]
  return { status, headers: [...own, ...headers], body }
}
