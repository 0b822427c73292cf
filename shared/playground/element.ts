type Child = Node | string | undefined;

/** Attributes by name; `true` sets one without a value, `false` and undefined omit it. */
type Attributes = Readonly<Record<string, string | boolean | undefined>>;

/** Makes an element. `style` is not among the attributes: the page's Content-Security-Policy forbids it. */
export function make<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
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
