/** Changes when the content of a file changes; consists of its size and modification time. */
export function etagOf(facts: { readonly size: bigint; readonly mtimeNs: bigint }): string {
  return `"${facts.size.toString(16)}-${facts.mtimeNs.toString(16)}"`;
}
