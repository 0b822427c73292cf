/** Changes when the content of a file changes: its size and the time of its last change. */
export function etagOf(facts: { readonly size: bigint; readonly mtimeNs: bigint }): string {
  return `"${facts.size.toString(16)}-${facts.mtimeNs.toString(16)}"`;
}
