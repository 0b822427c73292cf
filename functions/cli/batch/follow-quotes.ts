/**
 * The state of a row of CSV after a line: `closed` if the row ends there, `open` within a quoted cell that continues on
 * the next line, `misquoted` if a quote in it is out of place (RFC 4180, section 2). So a row of many lines is parsed
 * only when it is complete.
 *
 * @param text the line without its line break
 * @param isOpen whether the line begins within a quoted cell
 * @param delimiter what separates cells: one character
 */
export function followQuotes(
  text: string,
  isOpen: boolean,
  delimiter: string,
): 'closed' | 'open' | 'misquoted' {
  let isQuoted = isOpen;
  let at = 0;
  for (let quote = text.indexOf('"'); quote !== -1; quote = text.indexOf('"', at)) {
    at = quote + 1;
    if (!isQuoted) {
      // Only the first character of a cell can open it.
      if (quote > 0 && text[quote - 1] !== delimiter) return 'misquoted';
      isQuoted = true;
    } else if (text[at] === '"') {
      // A doubled quote is one quote within the cell.
      at++;
    } else {
      if (at < text.length && text[at] !== delimiter) return 'misquoted';
      isQuoted = false;
    }
  }
  return isQuoted ? 'open' : 'closed';
}
