/** Runs in the page: each text by `innerHTML`, written and read twice more, as a fragment, and by `document.write`. */
globalThis.show = async function show(texts) {
  const outcomes = []
  const made = new Set()
  const addresses = new Set()
  const look = (root) => {
    for (const element of root.querySelectorAll('*')) {
      const name =
        element.namespaceURI === 'http://www.w3.org/1999/xhtml'
          ? element.localName
          : `${element.namespaceURI} ${element.localName}`
      made.add(name)
      for (const attribute of Element.prototype.getAttributeNames.call(element)) made.add(`${name}@${attribute}`)
      if (element instanceof HTMLAnchorElement && element.hasAttribute('href')) addresses.add(element.href)
      if (element instanceof HTMLElement) HTMLElement.prototype.click.call(element)
      if (element instanceof HTMLTemplateElement) look(element.content)
    }
  }
  // a link is followed where that runs something, and not where it leaves the page
  document.addEventListener('click', (event) => {
    const link = event.target.closest('a')
    if (link instanceof HTMLAnchorElement && !link.href.startsWith('javascript:')) event.preventDefault()
  })
  document.addEventListener('submit', (event) => event.preventDefault())
  const ran = texts.map(() => 0)
  const run = (index) => ran[index]++
  Object.assign(window, { run })
  for (const [index, plain] of texts.entries()) {
    const text = plain.replaceAll('run()', `run(${index})`)
    made.clear()
    addresses.clear()
    const holder = document.createElement('div')
    document.body.append(holder)
    holder.innerHTML = text
    look(holder)
    for (let round = 0; round < 2; round++) {
      // biome-ignore lint/correctness/noSelfAssign: to write it and to parse it again is what is tried
      holder.innerHTML = holder.innerHTML
      look(holder)
    }
    const fragment = document.createElement('div')
    fragment.append(document.createRange().createContextualFragment(text))
    document.body.append(fragment)
    look(fragment)
    const frame = document.createElement('iframe')
    document.body.append(frame)
    const inner = frame.contentDocument
    if (inner === null || frame.contentWindow === null) throw new Error('expected a frame of the same origin')
    Object.assign(frame.contentWindow, { run })
    inner.open()
    inner.write(`<!doctype html><body><div id="holder">${text}</div>`)
    inner.close()
    for (const element of inner.body?.querySelectorAll('*:not(#holder)') ?? []) {
      made.add(
        element.namespaceURI === 'http://www.w3.org/1999/xhtml'
          ? element.localName
          : `${element.namespaceURI} ${element.localName}`,
      )
      for (const attribute of Element.prototype.getAttributeNames.call(element))
        made.add(`${element.localName}@${attribute}`)
    }
    outcomes.push({ made: [...made], addresses: [...addresses] })
  }
  await new Promise((resolve) => setTimeout(resolve, 1_500)) // handlers of what could not be loaded come later
  return outcomes.map((outcome, index) => ({ ...outcome, ran: ran[index] }))
}
