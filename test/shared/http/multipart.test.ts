import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readForm } from '../../../shared/http/multipart.ts';
import { PROJECT } from '../../support/project.ts';

const MOST = 2048;
const PNG = '\x89PNG\r\n\x1a\n\0--';

/** The fields of a form whose bytes are given as Latin-1; files as such texts, with a mark. */
function read(text: string, type = 'boundary=b', most = MOST): string[] {
  const fields = readForm(`multipart/form-data; ${type}`, Buffer.from(text, 'latin1'), most);
  return fields.map(({ name, value }) =>
    typeof value === 'string' ? `${name}=${value}` : `${name}:${Buffer.from(value).toString('latin1')}`,
  );
}

const form = (headers: string, content = PNG) => `--b\r\n${headers}\r\n\r\n${content}\r\n--b--\r\n`;
const disposition = (parameters: string) => `Content-Disposition: form-data; ${parameters}`;
const NAMED = disposition('name="file"; filename="a"');

/** A text as it is written in forms. Source: "multipart form data" of the HTML standard. */
const toLines = (text: string) => text.replaceAll(/\r\n|\r|\n/g, '\r\n');

describe('a form of a client', () => {
  const recorded: {
    readonly file: string;
    readonly forms: readonly {
      readonly client: string;
      readonly title: string;
      readonly type: string;
      readonly body: string;
    }[];
  } = JSON.parse(readFileSync(join(PROJECT, 'test/fixtures/clients/forms.json'), 'utf8'));

  it.each(recorded.forms)('has the file unchanged: $client, $title', ({ title, type, body }) => {
    const fields = readForm(type, Buffer.from(body, 'latin1'), MOST);
    const content = title === 'an empty file' ? '' : recorded.file;
    expect(fields.at(-1)).toEqual({ name: 'file', value: Buffer.from(content, 'hex') });
    expect(fields.slice(0, -1)).toEqual(title.startsWith('a text') ? [{ name: 'note', value: 'é' }] : []);
  });

  it('of Node has all its fields', async () => {
    const field = fc.record({
      name: fc.string({ unit: 'grapheme' }),
      fileName: fc.option(fc.string({ unit: 'grapheme' })),
      content: fc.oneof(
        fc.string(),
        fc.constantFrom('\r\n', '--', '\r\n--', '\n', '', '"\\'),
        fc.string({ unit: 'grapheme' }),
      ),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(field), async (fields) => {
        const sent = new FormData();
        for (const { name, fileName, content } of fields) {
          if (fileName === null) sent.append(name, content);
          else sent.append(name, new Blob([content]), fileName);
        }
        const response = new Response(sent);
        const type = response.headers.get('content-type') ?? '';
        const body = await response.bytes();
        const expected = fields.map(({ name, fileName, content }) => ({
          name: toLines(name),
          value: fileName === null ? toLines(content) : Buffer.from(content),
        }));
        expect(readForm(type, body, MOST)).toEqual(expected);
      }),
    );
  });
});

describe('a part', () => {
  it.each([
    ['with a file name', NAMED, 'text', 'file:text'],
    ['without one, with the type of an image', `${disposition('name=file')}\r\nContent-Type: image/png`],
    [
      'without one, with the type of bytes',
      `content-type: application/octet-stream\r\n${disposition('name="file"')}`,
      'text',
      'file:text',
    ],
    ['without one, not text', disposition('name="file"')],
    ['with an extended file name', disposition("name=file; filename*=UTF-8''%e2%82%ac"), 'x', 'file:x'],
    ['with escaped quotes', disposition('filename="my \\"b\\"; name=x"; name="file"')],
    ['with a path of Windows', disposition('filename="C:\\a\\"; name="file"')],
    ['that is folded', 'Content-Disposition: form-data;\r\n name="file";\r\n\tfilename=a'],
    ['that is empty', NAMED, '', 'file:'],
    ['that begins and ends with line breaks', NAMED, '\r\n\r\n', 'file:\r\n\r\n'],
    ['in base64', `${NAMED}\r\nContent-Transfer-Encoding: BASE64`, 'iVBORw==', 'file:\x89PNG'],
    ['sent as it is', `${NAMED}\r\nContent-Transfer-Encoding: binary`],
    ['that has the text of the boundary', NAMED, 'x--b--\r\n--bc\r\n--b--c\r\n -\r\n--\r\n-b'].concat(
      'file:x--b--\r\n--bc\r\n--b--c\r\n -\r\n--\r\n-b',
    ),
  ])('is a file %s', (_, headers, content = PNG, expected = `file:${content}`) => {
    expect(read(form(headers, content))).toEqual([expected]);
  });

  it.each([
    ['without a type', disposition('name="data"'), '[1, 2]', 'data=[1, 2]'],
    ['in JSON', `${disposition('name="data"')}\r\nContent-Type: application/json`, '{}', 'data={}'],
    ['beyond ASCII', disposition('name="data"'), '\xe2\x82\xac', 'data=€'],
    [
      'in another charset',
      `${disposition('name="data"')}\r\nContent-Type: text/plain; charset="ISO-8859-1"`,
      '\xe9',
      'data=é',
    ],
    ['with an escaped name', disposition('name="a%22b%0D%0A%41"'), '', 'a"b\r\n%41='],
    ['with a name in quotes', disposition('name="a;b\\"c"'), '', 'a;b"c='],
    ['with an extended name', disposition("name*=iso-8859-1'en'%e9"), '', 'é='],
    ['with a name of nothing', disposition('name=""'), 'x', '=x'],
  ])('is a text %s', (_, headers, content, expected) => {
    expect(read(form(headers, content))).toEqual([expected]);
  });

  it('is in the charset that another one names', () => {
    const charset = `--b\r\n${disposition('name="_charset_"')}\r\n\r\nkoi8-r\r\n`;
    expect(read(charset + form(disposition('name="data"'), '\xc1'))).toEqual(['_charset_=koi8-r', 'data=а']);
  });

  it('may end with its headers', () => {
    expect(read(`--b\r\n${NAMED}\r\n\r\n--b--`)).toEqual(['file:']);
  });

  it('is a view of the body', () => {
    const body = Buffer.from(form(NAMED), 'latin1');
    const [field] = readForm('multipart/form-data; boundary=b', body, MOST);
    expect(field?.value).toHaveProperty('buffer', body.buffer);
  });
});

describe('a boundary', () => {
  const part = `${NAMED}\r\n\r\nx`;
  it.each([
    ['in quotes', 'boundary="b c"', `--b c\r\n${part}\r\n--b c--\r\n`],
    ['with escapes', 'boundary="b\\"c"', `--b"c\r\n${part}\r\n--b"c--\r\n`],
    ['before other parameters', 'Boundary=b; charset=utf-8', `--b\r\n${part}\r\n--b--\r\n`],
    ['with white space after it', 'boundary=b', `--b \t\r\n${part}\r\n--b-- \r\n`],
    ['after and before other text', 'boundary=b', `note\r\n--b\r\n${part}\r\n--b--\r\nend\r\n--b\r\n`],
    ['after a text without a line break', 'boundary=b', `note\n--b\r\n${part}\r\n--b--\r\n`],
    ['without a last line break', 'boundary=b', `--b\r\n${part}\r\n--b--`],
    ['with half a line break at the end', 'boundary=b', `--b\r\n${part}\r\n--b--\n`],
    ['with the other half there', 'boundary=b', `--b\r\n${part}\r\n--b--\r`],
    ['of 70 characters', `boundary=${'-'.repeat(70)}`, '--', '-'.repeat(70)],
  ])('can be %s', (_, type, body, dashes = '') => {
    const text = dashes && `${body}${dashes}\r\n${part}\r\n${body}${dashes}--`;
    expect(read(text || body, type)).toEqual(['file:x']);
  });

  it('can be that of no part', () => {
    expect(read('--b--\r\n')).toEqual([]);
  });
});

describe('a form is refused', () => {
  const INVALID = 'The body is not valid multipart/form-data: ';
  const CUT_OFF = 'it ends before the last line of its boundary; is it cut off?';
  const NO_BLANK_LINE = 'no blank line follows the headers of a part.';
  const NO_NAME = 'part 1 has no header Content-Disposition: form-data with a name.';
  it.each([
    ['without a boundary', form(NAMED), 'charset=utf-8', 'its Content-Type names no boundary.'],
    [
      'with a long boundary',
      '',
      `boundary=${'x'.repeat(71)}`,
      'its boundary has 71 characters; expected at most 70.',
    ],
    ['that has not its boundary', 'x', undefined, 'it has no line with its boundary, "--b".'],
    ['that has only its end', 'x\r\n--b--\r\n', undefined, 'it has no line with its boundary, "--b".'],
    ['that is cut off', form(NAMED).slice(0, -6), undefined, CUT_OFF],
    ['that is cut off in its headers', '--b\r\nContent-Disp', undefined, CUT_OFF],
    [
      'with other line breaks',
      form(NAMED).replaceAll('\r', ''),
      undefined,
      'its lines end in LF; expected CRLF.',
    ],
    ['with a part without headers', '--b\r\n\r\nx\r\n--b--', undefined, NO_NAME],
    ['with two lines of its boundary', `--b\r\n${form(NAMED)}`, undefined, NO_BLANK_LINE],
    ['with a part without a name', form(disposition('filename=a')), undefined, NO_NAME],
    ['with a part of another kind', form('Content-Disposition: attachment; name=a'), undefined, NO_NAME],
    ['with quotes that do not end', form(disposition('name="a')), undefined, NO_NAME],
    ['with text after quotes', form(disposition('name="a"b')), undefined, NO_NAME],
    ['with a part without a blank line', `--b\r\n${NAMED}\r\nx\r\n--b--`, undefined, NO_BLANK_LINE],
    [
      'with a line that is not a header',
      form(`${NAMED}\r\nx`),
      undefined,
      'a header of a part has no colon.',
    ],
  ])('%s', (_, body, type, message) => {
    expect(() => read(body, type)).toThrow(INVALID + message);
  });

  it.each([
    [
      'quoted-printable',
      `${NAMED}\r\nContent-Transfer-Encoding: quoted-printable`,
      'Field "file" has the Content-Transfer-Encoding "quoted-printable"; expected unencoded bytes or base64.',
    ],
    [
      'base64 that is not',
      `${NAMED}\r\nContent-Transfer-Encoding: base64`,
      /^Field "file" is not base64: .*"\x89"/,
    ],
    [
      'a charset whose label is padded',
      `${disposition('name=a')}\r\nContent-Type: text/plain; charset=" latin1${' '.repeat(60)}"`,
      /^Field "a" is in the charset ".{40}", which/,
    ],
    [
      'an unknown charset',
      `${disposition('name=a')}\r\nContent-Type: text/plain; charset=x`,
      'Field "a" is in the charset "x", which is not known; expected utf-8.',
    ],
  ])('with a part in %s', (_, headers, message) => {
    expect(() => read(form(headers))).toThrow(message);
  });

  it('beyond the limits', () => {
    const part = (headers: string) => `--b\r\n${headers}\r\n\r\nx\r\n`;
    const parts = (count: number, headers = NAMED) => `${part(headers).repeat(count)}--b--`;
    expect(read(parts(30), 'boundary=b', 30)).toHaveLength(30);
    expect(() => read(parts(31), 'boundary=b', 30)).toThrow(
      'The form has more than 30 parts, which is the limit (MAX_FORM_PARTS).',
    );
    const long = (bytes: number) => `${NAMED}\r\nx: ${'x'.repeat(bytes)}`;
    expect(read(parts(1, long(16_000)), 'boundary=b', 1)).toEqual(['file:x']);
    expect(() => read(parts(1, long(16_400)), 'boundary=b', 1)).toThrow(
      'A part of the form has more than 16384 bytes of headers, which is the limit.',
    );
    expect(read(parts(2, long(16_000)), 'boundary=b', 20)).toHaveLength(2);
    expect(() => read(parts(3, long(16_000)), 'boundary=b', 20)).toThrow(
      'The form has more than 36864 bytes of headers in all its parts, which is the limit (from MAX_FORM_PARTS).',
    );
  });
});
