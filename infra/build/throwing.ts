/** The text of a function that a bundle has instead of one of a library, which nobody calls here. */
export function throwing(name: string): string {
  return `function ${name}() { throw new Error('${name} is not in this bundle'); }`;
}
