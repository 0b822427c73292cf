import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readTable, type TableRow } from '../../../../functions/cli/batch/read-table.ts';
import { temporaryFolder } from '../../../support/run-command.ts';

async function read(content: string | Uint8Array, delimiter = ','): Promise<readonly TableRow[]> {
  const path = join(await temporaryFolder(), 'in.csv');
  await writeFile(path, content);
  const rows: TableRow[] = [];
  for await (const row of readTable(path, delimiter)) rows.push(row);
  return rows;
}

const cellsOf = (rows: readonly TableRow[]) => rows.map((row) => ('cells' in row ? row.cells : row.problem));
const LONE_QUOTE = 'has a quote out of place';

describe('a table', () => {
  it.each([
    ['lines that end with LF', 'a,b\nc,d\n'],
    ['lines that end with CRLF', 'a,b\r\nc,d\r\n'],
    ['lines that end with CR', 'a,b\rc,d\r'],
    ['no end of the last line', 'a,b\nc,d'],
    ['empty lines', '\n\na,b\n\r\n\nc,d\n\n'],
    ['a byte order mark', '\ufeffa,b\nc,d\n'],
    ['quotes', '"a","b"\n"c",d\n'],
  ])('is read with %s', async (_, text) => {
    expect(cellsOf(await read(text))).toEqual([
      ['a', 'b'],
      ['c', 'd'],
    ]);
  });

  it('keeps line breaks, delimiters and quotes in quoted cells', async () => {
    expect(cellsOf(await read('"a\r\nb","c, ""d"""\n\n"e\n\nf",g\n'))).toEqual([
      ['a\r\nb', 'c, "d"'],
      ['e\n\nf', 'g'],
    ]);
  });

  it('can be separated by other characters', async () => {
    expect(cellsOf(await read('a;"b;c"\nd,e;f\n', ';'))).toEqual([
      ['a', 'b;c'],
      ['d,e', 'f'],
    ]);
  });

  it.each([
    ['in the middle of a cell', 'a,b"c\nd,e\n', [LONE_QUOTE, ['d', 'e']]],
    ['after a quoted cell', 'a,"b"c\nd,e\n', [LONE_QUOTE, ['d', 'e']]],
    ['that is never closed', 'a,"b\nd,e\nf,g', [LONE_QUOTE, ['d', 'e'], ['f', 'g']]],
    ['that a later row would close', 'a,"b\nd,e\n"f",g\n', [LONE_QUOTE, ['d', 'e'], ['f', 'g']]],
  ])('has a quote %s spoil only its own row', async (_, text, rows) => {
    expect(cellsOf(await read(text))).toEqual(rows);
  });

  it('does not let an unclosed quote swallow the rest of a large file', async () => {
    const rows = await read(`a,"b\n${'c,d\n'.repeat(400_000)}`);
    expect(rows).toHaveLength(400_001);
    expect(rows.slice(0, 2)).toEqual([{ problem: LONE_QUOTE }, { cells: ['c', 'd'] }]);
  });

  it.each([
    ['is a row', 'end"', [9001]],
    ['is spoilt by its end', '"x"y', [LONE_QUOTE, ...Array.from({ length: 9001 }, () => LONE_QUOTE)]],
  ])('follows thousands of lines that each hold quotes to where %s', async (_, end, rows) => {
    // If it were parsed again for each of its lines, this would take minutes.
    const given = await read(`"open\n${`y","${'x'.repeat(90)}\n`.repeat(9000)}${end}\n`);
    expect(given.map((row) => ('cells' in row ? row.cells.length : row.problem))).toEqual(rows);
  });

  it('reads rows across the blocks in which a file is read', async () => {
    const cell = `${'x'.repeat(99)}\n`.repeat(50);
    const rows = cellsOf(await read(`"${cell}",1\n`.repeat(200)));
    expect(rows).toHaveLength(200);
    expect(rows.every((row) => row[0] === cell && row[1] === '1')).toBe(true);
  });

  it('names the rows that are not UTF-8, and reads UTF-16 with a byte order mark', async () => {
    const latin = Buffer.from('a,b\nn\xe9,c\nd,e\n', 'latin1');
    expect(cellsOf(await read(latin))).toEqual([['a', 'b'], 'is not valid UTF-8', ['d', 'e']]);
    const wide = Buffer.from('\ufeffné,b\r\n', 'utf16le');
    expect(cellsOf(await read(wide))).toEqual([['né', 'b']]);
    expect(cellsOf(await read(wide.swap16()))).toEqual([['né', 'b']]);
  });

  it('skips a line that is too long for memory', async () => {
    const line = Buffer.alloc(70 * 1024 * 1024, 'x');
    const rows = cellsOf(await read(Buffer.concat([Buffer.from('a\n'), line, Buffer.from('\r\nb\n')])));
    expect(rows).toEqual([['a'], 'is longer than 64 MiB', ['b']]);
  });
});
