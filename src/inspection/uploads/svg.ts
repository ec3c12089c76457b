/** What runs in a drawing once it is opened, or calls elsewhere; undefined where it only shows something. */
export function activeInDrawing(text: string): string | undefined {
  const read = readXml(text)
  return firstOf([...inXml, ...running, ...calling], read)
}

/** The same of other XML, in which a browser draws and runs what is in the namespaces of SVG and XHTML. */
export function activeInXml(text: string): string | undefined {
  const read = readXml(text)
  return firstOf(/1999\/xhtml|2000\/svg/i.test(read.plain) ? [...inXml, ...running] : inXml, read)
}

/** A text in the ways in which whoever opens it reads it. */
interface Read {
  readonly written: string
  /** Without references to characters, but for a `<`, which begins no tag when it is written so. */
  readonly plain: string
  /** Without line ends and tabs as well, which addresses may hold anywhere (WHATWG URL §4.4), and without escapes of CSS. */
  readonly joined: string
}

type Sign = readonly [what: string, found: (read: Read) => boolean]

function firstOf(signs: readonly Sign[], read: Read): string | undefined {
  return signs.find(([, found]) => found(read))?.[0]
}

function readXml(written: string): Read {
  const plain = written
    .replace(/&#(?:x0*([0-9a-f]{1,6})|0*([0-9]{1,7}));?/gi, (whole, hex?: string, decimal?: string) => {
      const unit = hex !== undefined ? Number.parseInt(hex, 16) : Number(decimal)
      return unit > 0 && unit <= 0x10ffff && unit !== 0x3c ? String.fromCodePoint(unit) : whole
    })
    .replace(/&(?:colon|Tab|NewLine);/g, (name) => (name === '&colon;' ? ':' : '\n'))
  const joined = plain.replace(/[\t\r\n]/g, '').replace(/\\0{0,5}([0-9a-f]{1,6})\s?/gi, (whole, hex: string) => {
    const unit = Number.parseInt(hex, 16)
    return unit > 0 && unit < 0x80 ? String.fromCharCode(unit) : whole
  })
  return { written, plain, joined }
}

const inXml: readonly Sign[] = [
  ['an encoding in which it says something else', ({ written }) => !asciiAlike.test(encodingOf(written))],
  ['declarations of its own', ({ plain }) => /<!(?:ENTITY|ATTLIST)|<!DOCTYPE[^<>[]*\[/i.test(plain)],
  ['a style sheet from elsewhere', ({ plain }) => /<\?xml-stylesheet/i.test(plain)],
  ['something from elsewhere', ({ plain }) => /2001\/XInclude/i.test(plain)],
  ['a script', ({ plain }) => /<(?:[^\s<>:"'/=]*:)?script[\s/>]/i.test(plain)],
]

const running: readonly Sign[] = [
  ['a handler of events', ({ plain }) => /[\s"'/]on[a-z]{3,40}\s*=/i.test(plain)],
  [
    'an address that runs',
    ({ joined }) =>
      /(?<![a-z0-9])(?:(?:javascript|vbscript|livescript):|data:\s*(?:text\/(?:html|xml)|image\/svg|application\/(?:xhtml|xml)))/i.test(
        joined,
      ),
  ],
  [
    'foreign markup',
    ({ plain }) => /<(?:[^\s<>:"'/=]*:)?(?:foreignObject|iframe|object|embed|handler|listener)[\s/>]/i.test(plain),
  ],
]

const calling: readonly Sign[] = [
  ['something from elsewhere', ({ joined }) => elsewhere.test(joined)],
  ['something from elsewhere', ({ plain }) => refersElsewhere(plain)],
]

/** Of style sheets, and of declarations of a type that is not the standard's own. */
const elsewhere =
  /@import|(?:url|image-set|src)\(["'\s]*(?:https?:|ftp:|file:|[\\/]{2})|<!DOCTYPE[^<>[]*["'](?:https?:|ftp:|file:)?\/\/(?!www\.w3\.org\/)/i

/** Whether anything but a link, which waits for somebody to follow it, has an address of another place. */
function refersElsewhere(plain: string): boolean {
  let element = ''
  for (const [found, name] of plain.matchAll(
    /<(?:[^\s<>:"'/=]*:)?([^\s<>:"'/=]*)|(?:href|src|xml:base)\s*=["'\s]*(?:https?:|ftp:|file:|[\\/]{2})/gi,
  )) {
    if (found.startsWith('<')) element = (name as string).toLowerCase()
    else if (element !== 'a') return true
  }
  return false
}

/** What the declaration says of the encoding (XML 1.0 §4.3.3): browsers and parsers believe it, and see other letters than we did. */
function encodingOf(text: string): string {
  return /^\s*<\?xml[^<>]*?\sencoding\s*=\s*["']([^"'<>]*)/i.exec(text)?.[1] ?? 'utf-8'
}

/** Those in which the signs of ASCII are what they are in UTF-8. */
const asciiAlike = /^(?:utf-?8|utf-16(?:le|be)?|us-ascii|ascii|iso-8859-\d{1,2}|latin1|windows-125\d)$/i
