/**
 * Where a line of CSV leaves its row: `closed` at the end of the row, `open` within a quoted cell that goes on after
 * the line, `misquoted` when a quote in it is out of place (RFC 4180, section 2). So a row of many lines is parsed only
 * when all of it is there.
 *
 * @param text the line without what ends it
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
      // A quote that stands twice is one within the cell.
      at++;
    } else {
      if (at < text.length && text[at] !== delimiter) return 'misquoted';
      isQuoted = false;
    }
  }
  return isQuoted ? 'open' : 'closed';
}
