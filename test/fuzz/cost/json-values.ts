import { flatImage, hugeImages, LARGEST_SIDE } from './flat-images.ts';

/** Makes JSON text of about a number of bytes. */
export type JsonMaker = (bytes: number) => string | Promise<string>;

/** What a value is for: any model, or those that take texts or images. */
export type Purpose = 'any' | 'texts' | 'images';

const UNSAFE = '9007199254740993';

/** JSON that is small when compressed, and much when it is parsed or looked at. */
const ANY: Readonly<Record<string, JsonMaker>> = {
  'empty objects': listOf('{}'),
  'empty lists': listOf('[]'),
  'empty strings': listOf('""'),
  nulls: listOf('null'),
  ones: listOf('1'),
  fractions: listOf('1.5'),
  booleans: listOf('true'),
  'short strings': listOf('"ab"'),
  'numbers in strings': listOf('"1"'),
  'small objects': listOf('{"a":1}'),
  'small lists': listOf('[1]'),
  'rows of four': listOf('[5.1,3.5,1.4,0.2]'),
  'rows of strings': listOf('["a","1","1","b"]'),
  'rows by name': listOf('{"sepal_length":5.1,"sepal_width":3.5,"petal_length":1.4,"petal_width":0.2}'),
  'rows after a bad one': (bytes) => `[[],${repeat('[5.1,3.5,1.4,0.2]', bytes)}]`,
  'a row of ones': (bytes) => `[[${repeat('1', bytes)}]]`,
  // As many as a request may have, and as long as its body allows then.
  'numbers of seven digits': listOf('1234567'),
  'a row of numbers of seven digits': (bytes) => `[[${repeat('1234567', bytes)}]]`,
  'numbers of seven digits and a wide integer': (bytes) => `[${repeat('1234567', bytes)},${UNSAFE}]`,
  'strings of thirty letters': listOf(`"${'a'.repeat(30)}"`),
  'a row of strings': (bytes) => `[[${repeat('""', bytes)}]]`,
  'lists of lists': listOf('[[[[[[]]]]]]'),
  'deep lists': listOf(`${'['.repeat(24)}${']'.repeat(24)}`),
  'deep objects': listOf(`${'{"a":'.repeat(24)}1${'}'.repeat(24)}`),
  'too deep': (bytes) => `[${repeat('1', bytes)},${'['.repeat(64)}`,
  'brackets alone': (bytes) => '['.repeat(bytes),
  'unique strings': (bytes) => `[${unique(bytes, (name) => `"${name}"`)}]`,
  'unique keys': (bytes) => `{${unique(bytes, (name) => `"${name}":1`)}}`,
  'unique keys of lists': (bytes) => `{${unique(bytes, (name) => `"${name}":[1]`)}}`,
  'objects of unique keys': (bytes) => `[${unique(bytes, (name) => `{"${name}":1}`)}]`,
  'digits as keys': (bytes) => `{${unique(bytes, (_, index) => `"${index}":1`)}}`,
  'sparse digits as keys': (bytes) => `{${unique(bytes, (_, index) => `"${index * 1021}":1`)}}`,
  'one key again and again': (bytes) => `{${repeat('"a":1', bytes)}}`,
  'objects of prototypes': listOf('{"__proto__":{}}'),
  'ones and NaN at the end': (bytes) => `[${repeat('1', bytes)},NaN]`,
  'objects and NaN at the end': (bytes) => `[${repeat('{}', bytes)},NaN]`,
  'strings and NaN at the end': (bytes) => `[${repeat('""', bytes)},NaN]`,
  NaNs: listOf('NaN'),
  infinities: listOf('-Infinity'),
  'ones and a wide integer': (bytes) => `[${repeat('1', bytes)},${UNSAFE}]`,
  'lists and a wide integer': (bytes) => `[${repeat('[1]', bytes)},[${UNSAFE}]]`,
  'wide integers': listOf(UNSAFE),
  'one long number': (bytes) => `[0.${'1'.repeat(bytes)}]`,
  'one long integer': (bytes) => `[${'1'.repeat(bytes)}]`,
  'one long integer and NaN': (bytes) => `[${'9'.repeat(bytes)},NaN]`,
  'long numbers': listOf(`0.${'1'.repeat(600)}`),
  'small exponents': listOf('1e-320'),
  'white space': (bytes) => `[${' '.repeat(bytes)}1]`,
  'line breaks': (bytes) => `[${'\n'.repeat(bytes)}x`,
  'a string of letters': quoted('a'),
  'a string of escapes': quoted('\\u0041'),
  'a string of lone surrogates': quoted('\\ud800'),
  'a string of backslashes': quoted('\\\\'),
  'a string of quotes': quoted('\\"'),
  'strings of escaped quotes': listOf('"\\""'),
  'a string without an end': (bytes) => `["${'\\"'.repeat(bytes / 2)}`,
};

/** Texts that tokenizers may find hard. */
const TEXTS: Readonly<Record<string, JsonMaker>> = {
  'a text of marks': quoted('\u0301\u0323'),
  'a text of a letter with marks': (bytes) => `"a${repeat('\u0301\u0323', bytes, '')}"`,
  'texts of a thousand marks': listOf(`"a${'\u0301\u0323'.repeat(500)}"`),
  'a text of many marks': quoted('\u05b0\u0301\u0323\u0328\u064b'),
  'a text of jamo': quoted('\u1100\u1161\u11a8'),
  'a text of Hangul': quoted('\uac01'),
  'a text of spaces': quoted(' '),
  'a text of short words': quoted('a '),
  'a text of points': quoted('.'),
  'a text of emoji': quoted('\u{1f468}\u200d\u{1f469}\u200d\u{1f466}'),
  'a text of flags': quoted('\u{1f1e6}'),
  'a text of Chinese': quoted('\u6570'),
  'a text of ligatures': quoted('\ufdfa'),
  'a text of sharp s': quoted('\u1e9e'),
  'a text of dotted I': quoted('\u0130'),
  'a text of controls': quoted('\\u0000'),
  'a text of brackets': quoted('[MASK]'),
  'a text of digits': quoted('12'),
  'a text of apostrophes': quoted("'s"),
  'texts of letters': listOf(`"${'a'.repeat(900)}"`),
  'texts of words': listOf(`"${'good bad '.repeat(100)}"`),
  'a thousand texts of letters': (bytes) => manyTexts(bytes, 'a'),
  'a thousand texts of words': (bytes) => manyTexts(bytes, 'the dog '),
  'a thousand texts of marks': (bytes) => manyTexts(bytes, 'e\u0301\u0323'),
  'a thousand texts, one of them long': (bytes) =>
    `[${'"a",'.repeat(1000)}"${repeat('a ', bytes - 4000, '')}"]`,
  'a row of one long text': (bytes) => `[["${repeat('a ', bytes, '')}"]]`,
  'texts as objects': listOf('{"text":""}'),
};

/** Images in JSON, and what looks like them. */
const IMAGES: Readonly<Record<string, JsonMaker>> = {
  'images without bytes': listOf('{"image":""}'),
  'empty base64': listOf('{"b64":""}'),
  'a string of base64': quoted('QUFB'),
  'a string of spaced base64': (bytes) => `"iVBORw0KGgo${'A '.repeat(bytes / 2)}"`,
  'an AVIF': async () => `"${(await flatImage('avif', LARGEST_SIDE)).toString('base64')}"`,
  AVIFs: async (bytes) => await imageList(bytes, (image) => `"${image}"`),
  'AVIFs as b64': async (bytes) => await imageList(bytes, (image) => `{"b64":"${image}"}`),
  'AVIFs as images': async (bytes) => await imageList(bytes, (image) => `{"image":"${image}"}`),
  'small PNGs': async (bytes) => await smallImages(bytes, (image) => `"${image}"`),
  'small PNGs as b64': async (bytes) => await smallImages(bytes, (image) => `{"b64":"${image}"}`),
  'small PNGs as images': async (bytes) => await smallImages(bytes, (image) => `{"image":"${image}"}`),
};

interface JsonValueKind {
  readonly purpose: Purpose;
  readonly make: JsonMaker;
}

/** All kinds of values by name. */
export const JSON_VALUES: ReadonlyMap<string, JsonValueKind> = new Map([
  ...kindsFor('any', ANY),
  ...kindsFor('texts', TEXTS),
  ...kindsFor('images', IMAGES),
]);

function kindsFor(purpose: Purpose, values: Readonly<Record<string, JsonMaker>>): [string, JsonValueKind][] {
  return Object.entries(values).map(([name, make]) => [name, { purpose, make }]);
}

/** As many of an item with commas as fit. */
export function repeat(item: string, bytes: number, separator = ','): string {
  const unit = item + separator;
  const count = Math.max(1, Math.floor(bytes / Buffer.byteLength(unit)));
  return unit.repeat(count).slice(0, unit.length * count - separator.length);
}

/** As many different items as fit, whose names compress well. */
export function unique(
  bytes: number,
  write: (name: string, index: number) => string,
  separator = ',',
): string {
  const items: string[] = [];
  for (let left = bytes, index = 0; left > 0; index++) {
    const item = write(`k${index}`, index);
    items.push(item);
    left -= item.length + 1;
  }
  return items.join(separator);
}

function listOf(item: string): JsonMaker {
  return (bytes) => `[${repeat(item, bytes)}]`;
}

function quoted(unit: string): JsonMaker {
  return (bytes) => `"${repeat(unit, bytes, '')}"`;
}

/** As many texts as a request may have, however long. */
function manyTexts(bytes: number, unit: string): string {
  return `[${new Array<string>(1000).fill(`"${repeat(unit, bytes / 1000, '')}"`).join()}]`;
}

async function imageList(bytes: number, write: (image: string) => string): Promise<string> {
  const images = await hugeImages('avif', bytes);
  return `[${images.map((image) => write(image.toString('base64'))).join()}]`;
}

async function smallImages(bytes: number, write: (image: string) => string): Promise<string> {
  const item = write((await flatImage('png', 8)).toString('base64'));
  return `[${repeat(item, Math.min(bytes, item.length * 1000))}]`;
}
