/** Text as one word of a command: a POSIX shell keeps everything in single quotes as it is, except the quote itself. */
export function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
