/** A file in a ZIP archive, as its directory has it. */
export interface ZipEntry {
  readonly name: string;
  /** 0: stored uncompressed, 8: deflated; others are not supported here. */
  readonly method: number;
  readonly isEncrypted: boolean;
  /** The stored bytes in the archive. */
  readonly packed: Uint8Array;
  /** Bytes of the file. */
  readonly size: number;
}

const ENTRY = 0x02014b50;
const LOCAL_HEADER = 0x04034b50;
const ENTRY_BYTES = 46;
const LOCAL_HEADER_BYTES = 30;
const END_BYTES = 22;

const ENCRYPTED = 1;
const UTF8 = 1 << 11;

/** Marks a size or an offset that stands in the extra field, as 8 bytes. */
const IN_EXTRA = 0xffff_ffff;
const ZIP64 = 1;

/**
 * How many files a ZIP archive says there are; undefined if the end of its directory is missing.
 * Source: APPNOTE.TXT of PKWARE, section 4.3.16.
 */
export function countEntries(archive: Uint8Array): number | undefined {
  return findEnd(archive)?.readUInt16LE(10);
}

/**
 * The files of a ZIP archive, in the order of its directory. Nothing is unpacked yet.
 * Source: APPNOTE.TXT of PKWARE, sections 4.3.7 to 4.3.16 and 4.5.3.
 *
 * @throws RangeError for a damaged archive
 */
export function readEntries(archive: Uint8Array): readonly ZipEntry[] {
  const bytes = asBuffer(archive);
  const end = findEnd(bytes);
  if (!end) throw new RangeError('no end of a directory');
  const entries: ZipEntry[] = [];
  let at = end.readUInt32LE(16);
  for (let left = end.readUInt16LE(10); left > 0; left--) {
    if (bytes.readUInt32LE(at) !== ENTRY) throw new RangeError('no entry of a directory');
    const [nameLength, extraLength, commentLength] = [28, 30, 32].map((field) =>
      bytes.readUInt16LE(at + field),
    );
    const next = at + ENTRY_BYTES + (nameLength ?? 0) + (extraLength ?? 0) + (commentLength ?? 0);
    entries.push(readEntry(bytes, bytes.subarray(at, next)));
    at = next;
  }
  return entries;
}

function readEntry(archive: Buffer, entry: Buffer): ZipEntry {
  const flags = entry.readUInt16LE(8);
  const nameEnd = ENTRY_BYTES + entry.readUInt16LE(28);
  const extra = readZip64(entry.subarray(nameEnd, nameEnd + entry.readUInt16LE(30)));
  // The extra field has this order; sizes that fit into 4 bytes are left out.
  const [size, packedSize, offset] = [24, 20, 42].map((field) => {
    const value = entry.readUInt32LE(field);
    return value === IN_EXTRA ? extra.next().value : value;
  });
  if (size === undefined || packedSize === undefined || offset === undefined) throw new RangeError('no size');
  if (archive.readUInt32LE(offset) !== LOCAL_HEADER) throw new RangeError('no header of a file');
  const start =
    offset + LOCAL_HEADER_BYTES + archive.readUInt16LE(offset + 26) + archive.readUInt16LE(offset + 28);
  if (start + packedSize > archive.length) throw new RangeError('a file that is cut off');
  return {
    name: entry.subarray(ENTRY_BYTES, nameEnd).toString(flags & UTF8 ? 'utf8' : 'latin1'),
    method: entry.readUInt16LE(10),
    isEncrypted: (flags & ENCRYPTED) !== 0,
    packed: archive.subarray(start, start + packedSize),
    size,
  };
}

/** The numbers of 8 bytes in the field of ZIP64, one after the other. */
function* readZip64(fields: Buffer): Generator<number, undefined> {
  for (let at = 0; at + 4 <= fields.length; ) {
    const end = at + 4 + fields.readUInt16LE(at + 2);
    if (fields.readUInt16LE(at) === ZIP64) {
      for (let number = at + 4; number + 8 <= end; number += 8) yield Number(fields.readBigUInt64LE(number));
      return undefined;
    }
    at = end;
  }
  return undefined;
}

function findEnd(archive: Uint8Array): Buffer | undefined {
  const bytes = asBuffer(archive);
  const at = bytes.lastIndexOf('PK\x05\x06', undefined, 'latin1');
  return at === -1 || at + END_BYTES > bytes.length ? undefined : bytes.subarray(at);
}

function asBuffer({ buffer, byteOffset, byteLength }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}
