import type { BodyMaker } from './bodies.ts';
import { flatImage, hugeImages } from './flat-images.ts';

/** A single letter would occur in any image. */
const BOUNDARY = 'bound';
const FORM = 'multipart/form-data';
const URLENCODED = 'application/x-www-form-urlencoded';

export const FORM_MAKERS: readonly BodyMaker[] = [
  form('empty files', (bytes) => parts(bytes, part('file', '', 'a'))),
  form('empty texts', (bytes) => parts(bytes, part('file', ''))),
  form('fields of other names', (bytes) => parts(bytes, part('x', ''))),
  form('fields called data', (bytes) => parts(bytes, part('data', '1'))),
  form('files called data', (bytes) => parts(bytes, part('data', '', 'a'))),
  form('fields of different names', (bytes) => {
    const items: string[] = [];
    for (let left = bytes; left > 0; left -= 60) items.push(part(`k${items.length}`, ''));
    return closed(items.join(''));
  }),
  form('parts without headers', (bytes) => parts(bytes, `--${BOUNDARY}\r\n\r\n\r\n`)),
  form('boundaries alone', (bytes) => parts(bytes, `--${BOUNDARY}\r\n`)),
  form('almost boundaries', (bytes) => closed(part('file', '\r\n-'.repeat(bytes / 3), 'a'))),
  form('line breaks', (bytes) => closed(part('file', '\r\n'.repeat(bytes / 2), 'a'))),
  form('one large file', (bytes) => closed(part('file', 'a'.repeat(bytes), 'a'))),
  form('one large text of JSON', (bytes) => closed(part('data', `[${'{},'.repeat(bytes / 3)}{}]`))),
  form('a large text', (bytes) => closed(part('data', 'a\u0301\u0323'.repeat(bytes / 5)))),
  form('a long header', (bytes) => closed(part('file', '', `${'a'.repeat(bytes)}`))),
  form('a header of quotes', (bytes) => closed(part('file', '', `${'%22'.repeat(bytes / 3)}`))),
  form('many headers of a part', (bytes) =>
    closed(
      `--${BOUNDARY}\r\n${'x: y\r\n'.repeat(bytes / 6)}content-disposition: form-data; name="file"; filename="a"\r\n\r\n\r\n`,
    ),
  ),
  form('a type of spaces', (bytes) => parts(bytes, part('file', '', 'a', `a/b${' '.repeat(16_000)}c`))),
  form('parameters', (bytes) => parts(bytes, part('file', '', `a"${';a=b'.repeat(4000)}; b="`))),
  form('lines that begin like the boundary', (bytes) =>
    closed(part('file', `\r\n--${BOUNDARY}c`.repeat(bytes / 10), 'a')),
  ),
  form('text before the first part', (bytes) => 'a'.repeat(bytes) + closed(part('file', '', 'a'))),
  form('no end', (bytes) => part('file', 'a'.repeat(bytes), 'a')),
  images('AVIFs', 'file', (bytes) => hugeImages('avif', bytes)),
  images('AVIFs called data', 'data', (bytes) => hugeImages('avif', bytes)),
  images('small PNGs', 'file', smallImages),
  images('small PNGs called data', 'data', smallImages),
  pairs('data', (bytes) => 'data=1&'.repeat(bytes / 7)),
  pairs('data of nothing', (bytes) => 'data&'.repeat(bytes / 5)),
  pairs('other names', (bytes) => `${'a=1&'.repeat(bytes / 4)}data=1`),
  pairs('ampersands', (bytes) => `${'&'.repeat(bytes)}data=1`),
  pairs('escapes', (bytes) => `data=${'%41'.repeat(bytes / 3)}`),
  pairs('bad escapes', (bytes) => `data=${'%'.repeat(bytes)}`),
  pairs('pluses', (bytes) => `data=${'+'.repeat(bytes)}`),
  pairs('one list of objects', (bytes) => `data=[${'{},'.repeat(bytes / 3)}{}]`),
  pairs('different names', (bytes) => {
    const items: string[] = ['data=1'];
    for (let left = bytes; left > 0; left -= 10) items.push(`k${items.length}=1`);
    return items.join('&');
  }),
];

function form(name: string, write: (bytes: number) => string): BodyMaker {
  return {
    name: `form: ${name}`,
    types: [FORM],
    usesJson: false,
    make: ({ bytes }) => ({
      body: Buffer.from(write(bytes)),
      headers: { 'content-type': `${FORM}; boundary=${BOUNDARY}` },
    }),
  };
}

function images(name: string, field: string, make: (bytes: number) => Promise<readonly Buffer[]>): BodyMaker {
  return {
    name: `form: ${name}`,
    types: [FORM],
    usesJson: false,
    make: async ({ bytes }) => {
      const head = Buffer.from(part(field, '', 'a').slice(0, -2));
      const images = await make(bytes);
      const made = images.flatMap((image) => [head, image, Buffer.from('\r\n')]);
      return {
        body: Buffer.concat([...made, Buffer.from(closed(''))]),
        headers: { 'content-type': `${FORM}; boundary=${BOUNDARY}` },
      };
    },
  };
}

/** As many as a request may have. */
async function smallImages(bytes: number): Promise<readonly Buffer[]> {
  return new Array<Buffer>(Math.ceil(Math.min(1024, bytes / 200))).fill(await flatImage('png', 8));
}

function pairs(name: string, write: (bytes: number) => string): BodyMaker {
  return {
    name: `pairs: ${name}`,
    types: [URLENCODED],
    usesJson: false,
    make: ({ bytes }) => ({ body: Buffer.from(write(bytes)), headers: { 'content-type': URLENCODED } }),
  };
}

function part(name: string, content: string, file?: string, type = 'text/plain'): string {
  const fileName = file === undefined ? '' : `; filename="${file}"`;
  return `--${BOUNDARY}\r\ncontent-disposition: form-data; name="${name}"${fileName}\r\ncontent-type: ${type}\r\n\r\n${content}\r\n`;
}

function parts(bytes: number, one: string): string {
  return closed(one.repeat(Math.max(1, bytes / one.length)));
}

function closed(text: string): string {
  return `${text}--${BOUNDARY}--\r\n`;
}
