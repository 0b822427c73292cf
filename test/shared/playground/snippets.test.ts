import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { type Call, SNIPPETS } from '../../../shared/playground/snippets.ts';

const URL = 'https://example.org/prod/models/iris/versions/2/predict?code=a';
const JSON_CALL: Call = {
  url: URL,
  type: 'application/json',
  body: { json: '{"features":[5.1,null,"it\'s"]}' },
};
const FILE_CALL: Call = { url: URL, type: 'image/png', body: { fileName: 'a "b" c\'s.png' } };

function write(language: string, call: Call): string {
  return SNIPPETS.get(language)?.(call) ?? '';
}

describe('a call as code', () => {
  it('is written in curl', () => {
    expect(write('curl', JSON_CALL)).toBe(
      [
        `curl '${URL}' \\`,
        "  -H 'content-type: application/json' \\",
        `  -d '{"features": [5.1, null, "it'\\''s"]}'`,
      ].join('\n'),
    );
    expect(write('curl', FILE_CALL)).toContain(`--data-binary '@a "b" c'\\''s.png'`);
  });

  it('is written in JavaScript', () => {
    expect(write('JavaScript', JSON_CALL)).toBe(
      [
        `const response = await fetch('${URL}', {`,
        "  method: 'POST',",
        "  headers: { 'content-type': 'application/json' },",
        '  body: JSON.stringify({"features": [5.1, null, "it\'s"]}),',
        '});',
        'console.log(await response.json());',
      ].join('\n'),
    );
    expect(write('JavaScript', FILE_CALL)).toContain(`body: await readFile('a "b" c\\'s.png'),`);
  });

  it.each([
    '{"features":{"__proto__":1,"a":2}}',
    '{"features":{"\\u005f_proto__":{"b":1},"__proto":[{"__proto__":null}]}}',
    '{"instances":["__proto__"]}',
  ])('sends %s from JavaScript with all its features', (json) => {
    const code = write('JavaScript', { ...JSON_CALL, body: { json } });
    const [, body = ''] = /body: (.*),\n\}\);/s.exec(code) ?? [];
    expect(JSON.parse(runInNewContext(body))).toEqual(JSON.parse(json));
    expect(runInNewContext(body)).toBe(JSON.stringify(JSON.parse(json)));
  });

  it('is written in Python', () => {
    expect(write('Python', JSON_CALL)).toBe(
      [
        'import requests',
        '',
        'response = requests.post(',
        `    "${URL}",`,
        '    json={"features": [5.1, None, "it\'s"]},',
        ')',
        'print(response.json())',
      ].join('\n'),
    );
    expect(write('Python', FILE_CALL)).toContain(
      `    data=open("a \\"b\\" c's.png", "rb"),\n    headers={"content-type": "image/png"},`,
    );
  });

  it('sends text that is not JSON, and numbers that JavaScript would round, as they are', () => {
    const broken = { ...JSON_CALL, body: { json: '{"features":' } };
    expect(write('JavaScript', broken)).toContain(`body: '{"features":',`);
    expect(write('Python', broken)).toContain('data="{\\"features\\":".encode(),');
    const long = { ...JSON_CALL, body: { json: '[9007199254740993]' } };
    expect(write('JavaScript', long)).toContain("body: '[9007199254740993]',");
    expect(write('Python', long)).toContain('json=[9007199254740993],');
  });
});
