/** A function of a library that nobody calls here, in the place of the one that was left out of bundles. */
export function throwing(name: string): string {
  return `function ${name}() { throw new Error('${name} is not in this bundle'); }`;
}
