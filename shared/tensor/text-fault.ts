/**
 * The reason why a text cannot be a string in a tensor. The runtime takes strings as UTF-8, which has no halves of
 * surrogate pairs, and would silently cut them at a NUL.
 */
export function textFault(text: string): string | undefined {
  if (text.includes('\0')) return 'a NUL character';
  return text.isWellFormed() ? undefined : 'half of a surrogate pair';
}
