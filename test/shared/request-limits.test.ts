import sharp from 'sharp';
import { expect, it } from 'vitest';
import { openApp } from '../support/hosts/in-process.ts';
import { ask, errorOf } from './protocols/sagemaker/ask.ts';

const LINES = { 'content-type': 'application/jsonlines', accept: 'application/jsonlines' };
const CSV = { 'content-type': 'text/csv', accept: 'text/csv' };
const JSON_TYPE = { 'content-type': 'application/json' };

/** An image of 100 pixels in base64. */
const image = (
  await sharp(new Uint8Array(100), { raw: { width: 10, height: 10, channels: 1 } })
    .png()
    .toBuffer()
).toString('base64');

it.each([
  ['JSON lines', LINES, `${JSON.stringify({ image })}\n`],
  ['CSV', CSV, `${image}\n`],
])(
  'all images of %s count against the budget of the request, and are not tried again in smaller parts',
  async (_, headers, line) => {
    const host = openApp({ MAX_IMAGE_PIXELS: '1000' });
    const send = (count: number) => ask(host, '/models/digits/invoke', line.repeat(count), headers);
    expect((await send(10)).status).toBe(200);
    expect(await errorOf(send(11))).toEqual([
      413,
      expect.stringMatching(/^Field "image\[10\]" .* more than 1000 pixels.*\(MAX_IMAGE_PIXELS\)\.$/),
    ]);
    // More images than one run takes.
    expect((await send(60)).status).toBe(413);
    await host.close();
  },
);

it('small images that are enlarged count with their final size', async () => {
  const host = openApp({ MAX_IMAGE_PIXELS: '650' });
  const dot = await sharp(new Uint8Array(1), { raw: { width: 1, height: 1, channels: 1 } })
    .png()
    .toBuffer();
  const line = `${JSON.stringify({ image: dot.toString('base64') })}\n`;
  // Each becomes one of 8 times 8 pixels.
  expect((await ask(host, '/models/digits/invoke', line.repeat(10), LINES)).status).toBe(200);
  expect((await ask(host, '/models/digits/invoke', line.repeat(11), LINES)).status).toBe(413);
  await host.close();
});

it.each([
  ['/predict', { instances: new Array(20).fill({ a: 'b' }) }],
  ['/predictions/iris', new Array(50).fill({})],
  ['/predictions/iris', { data: new Array(50).fill({}) }],
  ['/hf/digits', { inputs: new Array(50).fill('') }],
  ['/v2/models/iris/infer', { inputs: new Array(50).fill([]) }],
  ['/v1/models/iris:predict', { instances: new Array(50).fill([]) }],
  ['/models/iris/invoke', { instances: new Array(50).fill([]) }],
  ['/serving-endpoints/iris/invocations', { dataframe_records: new Array(20).fill({ a: 1 }) }],
  ['/v2/repository/index', { ready: new Array(50).fill([]) }],
])('JSON with too many values is refused before it is parsed: %s', async (path, body) => {
  const host = openApp({ MAX_VALUES: '40' });
  const text = JSON.stringify(body);
  // Cut off: a parser would report it.
  expect(await errorOf(ask(host, path, text.slice(0, -1), JSON_TYPE))).toEqual([
    413,
    expect.stringMatching(/^The JSON body .* more than 40 arrays, objects and texts.*\(MAX_VALUES\)\.$/),
  ]);
  await host.close();
});

it.each([
  ['/predict', { features: new Array(50).fill(1) }],
  ['/models/iris/predict', { inputs: { features: new Array(50).fill(1) } }],
  ['/predictions/iris', new Array(50).fill(1)],
  ['/hf/digits', { inputs: new Array(50).fill(1) }],
  ['/v2/models/iris/infer', { inputs: [{ data: new Array(50).fill(1) }] }],
  ['/v1/models/iris:predict', { instances: new Array(50).fill(1) }],
  ['/models/iris/invoke', { instances: new Array(50).fill(1) }],
  ['/score', { data: new Array(50).fill(1) }],
])('JSON with too many numbers is refused before it is parsed: %s', async (path, body) => {
  const host = openApp({ MAX_JSON_NUMBERS: '40', DEFAULT_MODEL: 'iris' });
  const send = (text: string) => ask(host, path, text, JSON_TYPE);
  const text = JSON.stringify(body);
  expect(await errorOf(send(text.slice(0, -1)))).toEqual([
    413,
    expect.stringMatching(/^The JSON body .* more than 40 numbers in JSON.*\(MAX_JSON_NUMBERS\)\.$/),
  ]);
  // Commas in texts do not count, and fewer numbers may have more digits.
  expect((await send(text.replaceAll('1,', ''))).status).not.toBe(413);
  expect((await send(JSON.stringify({ text: 'a,'.repeat(100) }))).status).not.toBe(413);
  expect((await send(text.replaceAll('1,1,', `1.${'0'.repeat(20)},`))).status).not.toBe(413);
  await host.close();
});

it.each([
  ['arrays, objects and texts', 'MAX_VALUES', '["a","b","c","d"]'],
  ['numbers in JSON', 'MAX_JSON_NUMBERS', '[1,2,3,4,5,6]'],
])('JSON in the parts of a form counts against one budget: %s', async (noun, variable, json) => {
  const host = openApp({ [variable]: '20' });
  const boundary = 'bxxxxxxxxxxxxxxxxxxxxxxxxxxx';
  const part = `--${boundary}\r\ncontent-disposition: form-data; name="data"; filename="x"\r\n\r\n${json}\r\n`;
  const send = (count: number) =>
    ask(host, '/predictions/iris', `${part.repeat(count)}--${boundary}--\r\n`, {
      'content-type': `multipart/form-data; boundary=${boundary}`,
    });
  expect((await send(4)).status).toBe(400);
  expect(await errorOf(send(5))).toEqual([
    413,
    expect.stringMatching(`^Field "data\\[4\\]" .* more than 20 ${noun}.*\\(${variable}\\)\\.$`),
  ]);
  await host.close();
});

it.each([
  [
    '/predict',
    'multipart/form-data; boundary=bxxxxxxxxxxxxxxxxxxxxxxxxxxx',
    '--bxxxxxxxxxxxxxxxxxxxxxxxxxxx\r\ncontent-disposition: form-data; name="x"\r\n\r\n\r\n',
    '--bxxxxxxxxxxxxxxxxxxxxxxxxxxx--\r\n',
  ],
  [
    '/models/digits/predict',
    'multipart/form-data; boundary="b\\"cxxxxxxxxxxxxxxxxxxxxxxxxxxx"',
    '--b"cxxxxxxxxxxxxxxxxxxxxxxxxxxx\r\ncontent-disposition: form-data; name="x"\r\n\r\n\r\n',
    '--b"cxxxxxxxxxxxxxxxxxxxxxxxxxxx--\r\n',
  ],
  ['/predictions/digits', 'application/x-www-form-urlencoded', 'x=1&', ''],
  [
    '/v1/models/digits:predict',
    'multipart/form-data; boundary=bxxxxxxxxxxxxxxxxxxxxxxxxxxx',
    '--bxxxxxxxxxxxxxxxxxxxxxxxxxxx\r\ncontent-disposition: form-data; name="x"\r\n\r\n\r\n',
    '--bxxxxxxxxxxxxxxxxxxxxxxxxxxx--\r\n',
  ],
  [
    '/models/digits/invoke',
    'multipart/form-data; boundary=bxxxxxxxxxxxxxxxxxxxxxxxxxxx',
    '--bxxxxxxxxxxxxxxxxxxxxxxxxxxx\r\ncontent-disposition: form-data; name="x"\r\n\r\n\r\n',
    '--bxxxxxxxxxxxxxxxxxxxxxxxxxxx--\r\n',
  ],
])('a form with too many parts is refused before any is made: %s', async (path, type, part, end) => {
  const host = openApp({ MAX_FORM_PARTS: '30' });
  const send = (count: number) => ask(host, path, part.repeat(count) + end, { 'content-type': type });
  expect((await send(30)).status).not.toBe(413);
  expect(await errorOf(send(32))).toEqual([
    413,
    expect.stringMatching(/^The form has more than 30 parts.*\(MAX_FORM_PARTS\)\.$/),
  ]);
  await host.close();
});

it.each(['/v2/repository/index', '/v2/repository/models/iris/load', '/v2/repository/models/iris/unload'])(
  'a route that takes only names and options refuses long bodies: %s',
  async (path) => {
    const host = openApp({ MAX_BODY_BYTES: '3000000', ADMIN_ROUTES: 'true' });
    const send = (spaces: number) => ask(host, path, `{}${' '.repeat(spaces)}`, JSON_TYPE);
    expect((await send(1_000_000)).status).toBe(200);
    expect(await errorOf(send(1_100_000))).toEqual([
      413,
      'The request body has more than 1048576 bytes, the limit for this route.',
    ]);
    await host.close();
  },
);
