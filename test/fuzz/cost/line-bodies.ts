import type { BodyMaker, Ingredients } from './bodies.ts';
import { hugeImages, type ImageFormat } from './flat-images.ts';
import { repeat, unique } from './json-values.ts';
import type { VictimModel } from './models.ts';

const CSV = 'text/csv';
const LINES = 'application/jsonlines';

type Text = (ingredients: Ingredients) => string | Promise<string>;

export const LINE_MAKERS: readonly BodyMaker[] = [
  csv('rows', ({ bytes, model }) => repeat(rowOf(model), bytes, '\n')),
  csv('rows below names', ({ bytes, model }) => `${namesOf(model)}\n${repeat(rowOf(model), bytes, '\n')}`),
  csv('short rows', ({ bytes }) => repeat('1', bytes, '\n')),
  csv('rows of texts', ({ bytes }) => repeat('a', bytes, '\n')),
  csv('empty rows', ({ bytes }) => `${'\n'.repeat(bytes)}1`),
  csv('rows of commas', ({ bytes }) => repeat(',,,', bytes, '\n')),
  csv('rows of spaces', ({ bytes }) => repeat(' ', bytes, '\n')),
  csv('carriage returns', ({ bytes }) => `${'\r'.repeat(bytes)}1`),
  csv('one row of many cells', ({ bytes }) => repeat('1', bytes)),
  csv('one row of commas', ({ bytes }) => ','.repeat(bytes)),
  csv('rows of a thousand cells', ({ bytes }) => repeat('1,'.repeat(1000), bytes, '\n')),
  csv('one long cell', ({ bytes }) => 'a'.repeat(bytes)),
  csv('one long number', ({ bytes }) => '1'.repeat(bytes)),
  csv('names alone', ({ bytes }) => unique(bytes, (name) => name), '; header=present'),
  csv('the same names', ({ bytes }) => `${repeat('a', bytes)}\n1`, '; header=present'),
  csv('many names and a row', ({ bytes }) => `${unique(bytes, (name) => name)}\n1`, '; header=present'),
  csv('rows without labels', ({ bytes }) => repeat('1,5.1,3.5,1.4,0.2', bytes, '\n'), '; label_size=1'),
  csv('rows without a header', ({ bytes, model }) => repeat(rowOf(model), bytes, '\n'), '; header=absent'),
  csv('quoted cells', ({ bytes }) => repeat('"1","1","1","1"', bytes, '\n')),
  csv('a cell of quotes', ({ bytes }) => `"${'""'.repeat(bytes / 2)}"`),
  csv('a quote that is not closed', ({ bytes }) => `"${repeat('1,2', bytes, '\n')}`),
  csv('quotes out of place', ({ bytes }) => repeat('1"2,"3"4', bytes, '\n')),
  csv('line breaks in quotes', ({ bytes }) => repeat('"\n\n\n\n"', bytes, '\n')),
  csv('line breaks in one quoted cell', ({ bytes }) => `"${'\n'.repeat(bytes)}",1`),
  csv('rows that fail', ({ bytes, model }) => repeat(`${rowOf(model)},x`, bytes, '\n')),
  csv('every second row fails', ({ bytes, model }) =>
    repeat(`${rowOf(model)}\n${rowOf(model)},x`, bytes, '\n'),
  ),
  csv('a bad value in every row', ({ bytes, model }) =>
    repeat(rowOf(model).replace(/^[^,]*/, '1e999'), bytes, '\n'),
  ),
  csv('wide rows that fail', ({ bytes }) => repeat('x,'.repeat(5000), bytes, '\n')),
  csv('texts of marks', ({ bytes }) => repeat(`a${'\u0301\u0323'.repeat(1000)}`, bytes, '\n')),
  csv('AVIFs', ({ bytes }) => imageLines('avif', bytes, (image) => image)),
  csv('WebPs', ({ bytes }) => imageLines('webp', bytes, (image) => image)),
  csv('GIFs', ({ bytes }) => imageLines('gif', bytes, (image) => image)),
  csv('PNGs', ({ bytes }) => imageLines('png', bytes, (image) => image)),
  libsvm('rows', ({ bytes }) => repeat('1:5.1 2:3.5 3:1.4 4:0.2', bytes, '\n')),
  libsvm('empty rows', ({ bytes }) => repeat('1', bytes, '\n')),
  libsvm('one long row', ({ bytes }) => repeat('1:1', bytes, ' ')),
  libsvm('one row of different indices', ({ bytes }) => unique(bytes, (_, index) => `${index + 1}:1`, ' ')),
  libsvm('one long comment', ({ bytes }) => `1:1 #${'1:1 '.repeat(bytes / 4)}`),
  libsvm('one row of spaces', ({ bytes }) => `1${' '.repeat(bytes)}1:1`),
  libsvm('indices that end in 0', ({ bytes }) => repeat('10:1', bytes, ' ')),
  libsvm('zeros before a colon', ({ bytes }) => `1${'0'.repeat(bytes)}:1`),
  libsvm('large indices', ({ bytes }) => repeat('999999999999999:1', bytes, '\n')),
  libsvm('rows that fail', ({ bytes }) => repeat('1:x', bytes, '\n')),
  lines('rows', ({ bytes, model }) => repeat(JSON.stringify(model.row), bytes, '\n')),
  lines('rows in objects', ({ bytes, model }) =>
    repeat(JSON.stringify({ features: model.row }), bytes, '\n'),
  ),
  lines('rows by name', ({ bytes, model }) => repeat(JSON.stringify(namedRow(model)), bytes, '\n')),
  lines('ones', ({ bytes }) => repeat('1', bytes, '\n')),
  lines('lists of one', ({ bytes }) => repeat('[1]', bytes, '\n')),
  lines('empty lists', ({ bytes }) => repeat('[]', bytes, '\n')),
  lines('empty objects', ({ bytes }) => repeat('{}', bytes, '\n')),
  lines('strings', ({ bytes }) => repeat('""', bytes, '\n')),
  lines('nothing', ({ bytes }) => `${'\n'.repeat(bytes)}1`),
  lines('NaNs', ({ bytes }) => repeat('[NaN]', bytes, '\n')),
  lines('wide integers', ({ bytes }) => repeat('[9007199254740993]', bytes, '\n')),
  lines('every second line fails', ({ bytes, model }) =>
    repeat(`${JSON.stringify(model.row)}\nx`, bytes, '\n'),
  ),
  lines('wide lines that fail', ({ bytes }) => repeat(`[${repeat('1', 5000)},"x"]`, bytes, '\n')),
  lines('long lines', ({ bytes }) => repeat(`[${repeat('1', bytes / 200)}]`, bytes, '\n')),
  lines('long lines of texts', ({ bytes }) => repeat(`"${'a'.repeat(bytes / 500)}"`, bytes, '\n')),
  lines('objects of many keys', ({ bytes }) =>
    repeat(`{${unique(bytes / 200, (name) => `"${name}":1`)}}`, bytes, '\n'),
  ),
  lines('AVIFs', ({ bytes }) => imageLines('avif', bytes, (image) => `{"image":"${image}"}`)),
  lines('AVIFs as b64', ({ bytes }) => imageLines('avif', bytes, (image) => `{"b64":"${image}"}`)),
  lines('WebPs as b64', ({ bytes }) => imageLines('webp', bytes, (image) => `{"b64":"${image}"}`)),
  {
    name: 'lines of JSON values in places',
    types: [LINES],
    usesJson: true,
    make: async ({ bytes, model, value, place }) => ({
      body: Buffer.from(repeat(place(await value(bytes / 500), model), bytes, '\n')),
      headers: { 'content-type': LINES, accept: LINES },
    }),
  },
  {
    name: 'JSON values one after the other',
    types: [LINES, 'application/json'],
    usesJson: true,
    make: async ({ bytes, model, value, place }) => ({
      body: Buffer.from(repeat(place(await value(bytes / 100), model), bytes, '')),
      headers: { 'content-type': 'application/json', accept: 'text/csv' },
    }),
  },
  {
    name: 'short JSON values one after the other',
    types: [LINES, 'application/json'],
    usesJson: false,
    make: ({ bytes }) => ({
      body: Buffer.from('[1]'.repeat(bytes / 3)),
      headers: { 'content-type': 'application/json' },
    }),
  },
];

function libsvm(name: string, make: Text): BodyMaker {
  return {
    name: `LibSVM of ${name}`,
    types: ['text/libsvm'],
    usesJson: false,
    make: async (ingredients) => ({
      body: Buffer.from(await make(ingredients)),
      headers: { 'content-type': 'text/libsvm' },
    }),
  };
}

function csv(name: string, text: Text, parameters = ''): BodyMaker {
  return {
    name: `CSV: ${name}`,
    types: [CSV],
    usesJson: false,
    make: async (ingredients) => ({
      body: Buffer.from(await text(ingredients)),
      headers: { 'content-type': CSV + parameters, accept: CSV },
    }),
  };
}

function lines(name: string, text: Text): BodyMaker {
  return {
    name: `JSON lines: ${name}`,
    types: [LINES],
    usesJson: false,
    make: async (ingredients) => ({
      body: Buffer.from(await text(ingredients)),
      headers: { 'content-type': LINES, accept: LINES },
    }),
  };
}

function rowOf({ row }: VictimModel): string {
  return row.length > 0 ? row.join() : '1,1,1,1';
}

function namesOf({ columns }: VictimModel): string {
  return columns.length > 0 ? columns.join() : 'a,b,c,d';
}

function namedRow({ columns, row }: VictimModel): object {
  return Object.fromEntries(columns.map((name, index) => [name, row[index]]));
}

async function imageLines(
  format: ImageFormat,
  bytes: number,
  write: (image: string) => string,
): Promise<string> {
  const images = await hugeImages(format, bytes);
  return images.map((image) => write(image.toString('base64'))).join('\n');
}
