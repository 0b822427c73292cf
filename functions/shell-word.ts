/** Text as one word of a command: a POSIX shell takes everything in single quotes as it is, but the quote itself. */
export function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
