/**
 * A document for xterm.js under a content policy without 'unsafe-inline'. xterm writes its sizes and colours into
 * style elements and style attributes, which such a policy ignores; handed this document, the same text goes into
 * constructed style sheets and into the style object, which it allows.
 */

/** A style element whose text lives in an adopted style sheet. */
function strictStyle(owner: Document): HTMLStyleElement {
  const element = owner.createElement('style')
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
    HTMLStyleElement.prototype.remove.call(element)
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

export function strictDocument(owner: Document): Document {
  const create = (tag: string): HTMLElement =>
    tag === 'style' ? strictStyle(owner) : tag === 'span' ? strictElement(owner.createElement(tag)) : owner.createElement(tag)
  return new Proxy(owner, {
    get(target, key) {
      if (key === 'createElement') return create
      const value: unknown = Reflect.get(target, key, target)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}
