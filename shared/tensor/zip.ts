import { crc32 } from 'node:zlib';

const LOCAL_HEADER = 0x04034b50;
const ENTRY = 0x02014b50;
const END = 0x06054b50;
const VERSION = 20;
const UTF8 = 1 << 11;
/** The first day that an archive can have: the same files make the same bytes. */
const FIRST_DAY = (1 << 5) | 1;

/**
 * An archive of files that are stored as they are. Source: APPNOTE.TXT of PKWARE, sections 4.3.7 to 4.3.16.
 *
 * @param files by their names
 * @throws RangeError for more than 4 GiB
 */
export function writeZip(files: ReadonlyMap<string, Uint8Array>): Uint8Array {
  const contents: Uint8Array[] = [];
  const directory: Uint8Array[] = [];
  let offset = 0;
  for (const [path, content] of files) {
    const name = Buffer.from(path);
    const facts = describeFile(name, content);
    const local = Buffer.concat([numberOf(LOCAL_HEADER), facts, name]);
    contents.push(local, content);
    const entry = Buffer.alloc(46);
    entry.writeUInt32LE(ENTRY);
    entry.writeUInt16LE(VERSION, 4);
    entry.set(facts, 6);
    entry.writeUInt32LE(offset, 42);
    directory.push(entry, name);
    offset += local.length + content.length;
  }
  const end = Buffer.alloc(22);
  end.writeUInt32LE(END);
  end.writeUInt16LE(files.size, 8);
  end.writeUInt16LE(files.size, 10);
  end.writeUInt32LE(
    directory.reduce((sum, { length }) => sum + length, 0),
    12,
  );
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...contents, ...directory, end]);
}

/** What the header of a file and its entry in the directory have in common. */
function describeFile(name: Uint8Array, content: Uint8Array): Buffer {
  const facts = Buffer.alloc(26);
  facts.writeUInt16LE(VERSION);
  facts.writeUInt16LE(UTF8, 2);
  facts.writeUInt16LE(FIRST_DAY, 8);
  facts.writeUInt32LE(crc32(content), 10);
  // Stored and unpacked, it has the same size.
  facts.writeUInt32LE(content.length, 14);
  facts.writeUInt32LE(content.length, 18);
  facts.writeUInt16LE(name.length, 22);
  return facts;
}

function numberOf(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}
