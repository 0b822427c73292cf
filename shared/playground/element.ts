type Child = Node | string | undefined;

/** Attributes by name; `true` sets one without a value, `false` and undefined omit it. */
type Attributes = Readonly<Record<string, string | boolean | undefined>>;

/** Makes an element. `style` is not among the attributes: the page's Content-Security-Policy forbids it. */
export function make<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[K] {
  return fill(document.createElement(tag), attributes, children);
}

const SVG = 'http://www.w3.org/2000/svg';

/** Makes an element of a drawing. */
export function makeShape<K extends keyof SVGElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: readonly Child[]
): SVGElementTagNameMap[K] {
  return fill(document.createElementNS(SVG, tag), attributes, children);
}

function fill<T extends Element>(element: T, attributes: Attributes, children: readonly Child[]): T {
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== false) element.setAttribute(name, value === true ? '' : value);
  }
  element.append(...children.filter((child) => child !== undefined));
  return element;
}

/** @throws Error when the page has no such element: it and its script belong together */
export function find<T extends Element>(id: string, type: abstract new () => T): T {
  const found = document.getElementById(id);
  if (!(found instanceof type)) throw new Error(`the page lacks #${id}`);
  return found;
}

let lastId = 0;

/** An id for a label or a description to point at. */
export function makeId(): string {
  lastId += 1;
  return `e${lastId}`;
}
