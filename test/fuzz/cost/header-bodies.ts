import type { BodyMaker, MadeRequest } from './bodies.ts';

/** Node's servers take 16 KB of headers, the path included. */
const MOST = 15_000;

/** Requests whose cost is in the parts before the body. They suit any route. */
export const HEADER_MAKERS: readonly BodyMaker[] = [
  header('nothing', () => ''),
  header('accept', (bytes) => list('a/b;q=0.1', bytes)),
  header('accept', (bytes) => list('text/html;q=0.001;a="b,c"', bytes), 'quoted'),
  header('accept', (bytes) => ','.repeat(bytes), 'of commas'),
  header('accept', (bytes) => ' '.repeat(bytes - 1).concat('a'), 'of spaces'),
  header('accept', (bytes) => `a${' '.repeat(bytes - 2)}\u00e9`, 'of spaces before a letter with an accent'),
  header('accept', (bytes) => `a${';q=1'.repeat(bytes / 4)}`, 'with many parameters'),
  header('accept', (bytes) => `a/b;c="${'\\"'.repeat(bytes / 2)}`, 'with a quote that is not closed'),
  header('accept-encoding', (bytes) => list('gzip;q=0.5', bytes)),
  header('content-encoding', (bytes) => list('identity', bytes)),
  header('content-encoding', (bytes) => list('gzip', bytes), 'gzip'),
  header('content-encoding', (bytes) => ','.repeat(bytes), 'of commas'),
  header('content-type', (bytes) => `application/json${'; a=b'.repeat(bytes / 5)}`),
  header('content-type', (bytes) => `application/json;${' '.repeat(bytes)}a`, 'of spaces'),
  header('content-type', (bytes) => `text/csv;${'header='.repeat(bytes / 7)}`, 'of CSV'),
  header(
    'content-type',
    (bytes) => `multipart/form-data; boundary="${'a'.repeat(bytes)}"`,
    'with a boundary',
  ),
  header('if-none-match', (bytes) => list('"a"', bytes)),
  header('if-none-match', (bytes) => list('W/"a"', bytes), 'weak'),
  header('cookie', (bytes) => 'a=b; '.repeat(bytes / 5)),
  header('range', (bytes) => `bytes=${list('0-1', bytes)}`),
  header('x-amzn-sagemaker-custom-attributes', (bytes) => list('tfs-method=predict', bytes)),
  header('x-amzn-sagemaker-custom-attributes', (bytes) => ','.repeat(bytes), 'of commas'),
  header('x-amzn-sagemaker-target-model', (bytes) => `${'a/'.repeat(bytes / 2)}b.tar.gz`),
  header('x-vertex-ai-triton-redirect', (bytes) => `v2/${'../v2/'.repeat(bytes / 6)}`),
  header('x-vertex-ai-triton-redirect', (bytes) => '/'.repeat(bytes), 'of slashes'),
  header('inference-header-content-length', (bytes) => '1'.repeat(bytes)),
  header('x-request-id', (bytes) => 'a'.repeat(bytes)),
  header('ce-id', (bytes) => 'a'.repeat(bytes)),
  header('accept-language', (bytes) => list('en', bytes)),
  request('many headers', (bytes) => ({
    headers: Object.fromEntries(Array.from({ length: Math.min(1900, bytes / 8) }, (_, i) => [`x${i}`, 'a'])),
  })),
  request('a query of pairs', (bytes) => ({ query: `?${'a=1&'.repeat(bytes / 4)}` })),
  request('a query of ampersands', (bytes) => ({ query: `?${'&'.repeat(bytes)}` })),
  request('a query of escapes', (bytes) => ({ query: `?limit=${'%25'.repeat(bytes / 3)}` })),
  request('a query of bad escapes', (bytes) => ({ query: `?model_name=${'%'.repeat(bytes)}` })),
  request('a query of many models', (bytes) => ({ query: `?${'model_name=iris&'.repeat(bytes / 16)}` })),
  request('a query of a long number', (bytes) => ({
    query: `?limit=${'9'.repeat(bytes)}&top_k=${'9'.repeat(99)}`,
  })),
  request('a query of all models', () => ({ query: '?limit=1000&customized=true' })),
  request('a query of a long token', (bytes) => ({ query: `?next_page_token=${'1'.repeat(bytes)}` })),
  request('a long name', (bytes) => ({ name: 'a'.repeat(bytes) })),
  request('a name of dots', (bytes) => ({ name: '.'.repeat(bytes) })),
  request('a name of escapes', (bytes) => ({ name: '%2e%2f'.repeat(bytes / 6) })),
  request('a name of colons', (bytes) => ({ name: ':a'.repeat(bytes / 2) })),
  request('a name of slashes', (bytes) => ({ name: 'a/'.repeat(bytes / 2) })),
  request('a name of bad escapes', (bytes) => ({ name: '%E0%A4'.repeat(bytes / 6) })),
];

function header(name: string, write: (bytes: number) => string, kind = ''): BodyMaker {
  const title = name === 'nothing' ? 'no body' : `header ${name}${kind && ` ${kind}`}`;
  return request(title, (bytes) => ({
    headers: name === 'nothing' ? {} : { [name]: write(bytes) },
    body: Buffer.from(name === 'nothing' ? '' : '{"instances":[[5.1,3.5,1.4,0.2]]}'),
  }));
}

function request(name: string, make: (bytes: number) => Partial<MadeRequest>): BodyMaker {
  return {
    name,
    types: [],
    usesJson: false,
    make: ({ bytes }) => ({
      body: Buffer.alloc(0),
      headers: {},
      ...make(Math.floor(Math.min(MOST, Math.max(10, bytes / 2000)))),
    }),
  };
}

function list(item: string, bytes: number): string {
  return `${item},`.repeat(bytes / (item.length + 1)).slice(0, -1);
}
