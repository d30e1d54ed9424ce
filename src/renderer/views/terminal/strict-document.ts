/**
 * A document for xterm.js under a content policy without 'unsafe-inline'. xterm writes its sizes and colours into
 * style elements and style attributes, which such a policy ignores; handed this document, the same text goes into
 * constructed style sheets and into the style object, which it allows.
 */

/** Stands for a style element: its text lives in an adopted style sheet, and what xterm puts into the page is empty. */
function strictStyle(owner: Document): HTMLStyleElement {
  const element = Document.prototype.createElement.call(owner, 'template') as HTMLElement as HTMLStyleElement
  const sheet = new CSSStyleSheet()
  let text = ''
  owner.adoptedStyleSheets = [...owner.adoptedStyleSheets, sheet]
  const put = (css: string): void => {
    text = css
    sheet.replaceSync(css)
  }
  Object.defineProperty(element, 'textContent', { get: () => text, set: put })
  Object.defineProperty(element, 'innerText', { get: () => text, set: put })
  element.remove = () => {
    owner.adoptedStyleSheets = owner.adoptedStyleSheets.filter((other) => other !== sheet)
    HTMLElement.prototype.remove.call(element)
  }
  return element
}

/** An element whose style attribute is written through its style object. */
function strictElement(element: HTMLElement): HTMLElement {
  element.setAttribute = (name: string, value: string): void => {
    if (name === 'style') element.style.cssText = value
    else HTMLElement.prototype.setAttribute.call(element, name, value)
  }
  return element
}

const creator =
  (owner: Document) =>
  (tag: string): HTMLElement => {
    if (tag === 'style') return strictStyle(owner)
    const element = Document.prototype.createElement.call(owner, tag)
    return tag === 'span' ? strictElement(element) : element
  }

export function strictDocument(owner: Document): Document {
  const create = creator(owner)
  return new Proxy(owner, {
    get(target, key) {
      if (key === 'createElement') return create
      const value: unknown = Reflect.get(target, key, target)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}

/** xterm's scroll bar takes the page's own document whatever it is given: for as long as `work` runs that is strict, too. */
export function withStrictStyles(owner: Document, work: () => void): void {
  Object.defineProperty(owner, 'createElement', { value: creator(owner), configurable: true })
  try {
    work()
  } finally {
    Reflect.deleteProperty(owner, 'createElement')
  }
}
