/** Media types that are decoded. */
export const ACCEPTED_IMAGE_TYPES: readonly string[] = [
  'image/jpeg',
  'image/png',
  'image/webp',
  'image/gif',
  'image/tiff',
  'image/avif',
];

interface Signature {
  readonly type: string;
  /** The first bytes of the file, starting at `offset`, as Latin-1 text. */
  readonly starts: readonly string[];
  readonly offset?: number;
  /** A second mark, for container formats that share the first. */
  readonly brand?: { readonly offset: number; readonly text: string };
}

/**
 * The formats that are distinguished by their first bytes; those not accepted types are listed so that the error can name
 * them.
 */
const SIGNATURES: readonly Signature[] = [
  { type: 'image/jpeg', starts: ['\xff\xd8\xff'] },
  { type: 'image/png', starts: ['\x89PNG\r\n\x1a\n'] },
  { type: 'image/webp', starts: ['RIFF'], brand: { offset: 8, text: 'WEBP' } },
  { type: 'image/gif', starts: ['GIF87a', 'GIF89a'] },
  { type: 'image/tiff', starts: ['II*\0', 'MM\0*', 'II+\0', 'MM\0+'] },
  { type: 'image/avif', offset: 4, starts: ['ftypavif', 'ftypavis'] },
  { type: 'image/heic', offset: 4, starts: ['ftyphei', 'ftyphev', 'ftypmif1', 'ftypmsf1'] },
  { type: 'image/jp2', starts: ['\0\0\0\x0cjP  ', '\xff\x4f\xff\x51'] },
  { type: 'image/jxl', starts: ['\xff\x0a', '\0\0\0\x0cJXL '] },
  { type: 'image/bmp', starts: ['BM'], brand: { offset: 6, text: '\0\0\0\0' } },
  { type: 'image/x-icon', starts: ['\0\0\x01\0'] },
  { type: 'image/vnd.adobe.photoshop', starts: ['8BPS'] },
  { type: 'application/pdf', starts: ['%PDF-'] },
];

const SNIFF_BYTES = 512;

/**
 * The media type that a file begins like; the type that the client gave does not matter. Undefined if it is not known.
 */
export function sniffImageType(file: Uint8Array): string | undefined {
  const head = Buffer.from(file.buffer, file.byteOffset, Math.min(file.length, SNIFF_BYTES)).toString(
    'latin1',
  );
  const signature = SIGNATURES.find(
    ({ starts, offset = 0, brand }) =>
      starts.some((start) => head.startsWith(start, offset)) &&
      (!brand || head.startsWith(brand.text, brand.offset)),
  );
  return signature?.type ?? (isSvg(head) ? 'image/svg+xml' : undefined);
}

/** Whether the first element is `<svg>`, after a byte order mark, white space, declarations and comments. */
function isSvg(head: string): boolean {
  let rest = head.replace(/^\xef\xbb\xbf/, '').trimStart();
  while (rest.startsWith('<?') || rest.startsWith('<!')) {
    const closing = rest.startsWith('<!--') ? '-->' : '>';
    const end = rest.indexOf(closing);
    if (end === -1) return false;
    rest = rest.slice(end + closing.length).trimStart();
  }
  return /^<svg[\s/>]/i.test(rest);
}
