import { describe, expect, it } from 'vitest';
import { parseFilter } from '../../../shared/registry/search/filter.ts';
import { matchesLike } from '../../../shared/registry/search/like.ts';
import { findMatches, pageOf, parseOrder } from '../../../shared/registry/search/search.ts';
import { errorOf } from '../../support/error-of.ts';
import { type OpenRegistry, openRegistry } from '../../support/open-registry.ts';

const RULES = { texts: ['name', 'run_id'], listed: ['name'], numbers: ['version_number'] };

describe('a filter', () => {
  it.each([
    ['', []],
    ["name='a'", [['name', undefined, '=', 'a']]],
    ['name != "it\'s"', [['name', undefined, '!=', "it's"]]],
    ["name = 'it''s'", [['name', undefined, '=', "it's"]]],
    ["attribute.name ILIKE '%A_'", [['name', undefined, 'ILIKE', '%A_']]],
    ["name IN ('a', 'b')", [['name', undefined, 'IN', ['a', 'b']]]],
    ["name not in ('a')", [['name', undefined, 'NOT IN', ['a']]]],
    ["tag.`mlflow.prompt.is_prompt` != 'true'", [[undefined, 'mlflow.prompt.is_prompt', '!=', 'true']]],
    [
      "tags.\"a b\" like 'x' and name='y'",
      [
        [undefined, 'a b', 'LIKE', 'x'],
        ['name', undefined, '=', 'y'],
      ],
    ],
    ["tags.a.b.c = 'x'", [[undefined, 'a.b.c', '=', 'x']]],
    ["tags.and = 'AND'", [[undefined, 'and', '=', 'AND']]],
    ['version_number >= 12', [['version_number', undefined, '>=', 12]]],
  ])('is read: %s', (filter, clauses) => {
    const found = parseFilter(filter, RULES).map(({ attribute, tag, comparator, value }) => [
      attribute,
      tag,
      comparator,
      value,
    ]);
    expect(found).toEqual(clauses);
  });

  it.each([
    [
      "nam='a'",
      'has the attribute "nam"; expected one of name, run_id, version_number, or a tag such as tags.key.',
    ],
    ["metrics.a='a'", 'has the kind of name "metrics"; expected "attribute" or "tags" before the ".".'],
    ["name='a' OR name='b'", 'has "OR" where AND is expected.'],
    ["name='a' name='b'", 'has "name" where AND is expected.'],
    ["name='a' AND", 'ends where the name of an attribute or a tag is expected.'],
    ['name=', 'ends where a value in quotes is expected.'],
    ['name=a', 'has "a" where a value in quotes is expected.'],
    ["name='a", 'has a quotation mark at character 6 that is not closed.'],
    ["name > 'a'", 'compares name by >, which is not possible.'],
    ["run_id IN ('a')", 'compares run_id by IN, which is not possible.'],
    ["tags.a IN ('a')", 'compares tag "a" by IN, which is not possible.'],
    ["version_number = '1'", 'has "1" where a whole number is expected.'],
    ['version_number = 1.5', 'has "1.5" where a whole number is expected.'],
    ['version_number LIKE 1', 'compares version_number by LIKE, which is not possible.'],
    ["name IN ('a' 'b')", 'has "b" where "," or ")" is expected.'],
    ["name IN 'a'", "has \"a\" where a list such as ('a', 'b') is expected."],
    ["name = 'a';", 'has ";" at character 11, which means nothing there.'],
    ['tags. = 1', 'has "=" where a name after "." is expected.'],
    [`name='${'x'.repeat(10_000)}'`, 'has 10007 characters; the limit is 10000.'],
  ])('is refused in words: %s', (filter, problem) => {
    expect(errorOf(() => parseFilter(filter, RULES))).toMatchObject({
      code: 'INVALID_PARAMETER_VALUE',
      message: `Parameter "filter" ${problem}`,
    });
  });
});

describe('LIKE', () => {
  const matches = (text: string, pattern: string) => matchesLike(text, pattern, { left: 1000 });

  it.each([
    ['abc', 'abc', true],
    ['abc', 'ab', false],
    ['abc', 'a%', true],
    ['abc', '%c', true],
    ['abc', '%b%', true],
    ['abc', 'a_c', true],
    ['abc', '__', false],
    ['abc', '____', false],
    ['', '%', true],
    ['', '', true],
    ['aXbXc', 'a%b%c', true],
    ['aab', '%ab', true],
    ['abab', '%ab', true],
    ['a.c', 'a.c', true],
    ['abc', 'a.c', false],
    ['Abc', 'abc', false],
    ['a\nb', 'a%b', true],
  ])('%j matches %j: %s', (text, pattern, expected) => {
    expect(matches(text, pattern)).toBe(expected);
  });

  it('agrees with a regular expression on short texts of two letters', () => {
    const words = ['', 'a', 'b', 'ab', 'ba', 'aab', 'bba', 'abab', 'bbbb'];
    const marks = ['a', 'b', '%', '_'];
    const patterns = marks.flatMap((x) => marks.flatMap((y) => marks.flatMap((z) => [x, x + y, x + y + z])));
    for (const word of words)
      for (const pattern of patterns) {
        const expression = new RegExp(`^${pattern.replaceAll('%', '.*').replaceAll('_', '.')}$`);
        expect([word, pattern, matches(word, pattern)]).toEqual([word, pattern, expression.test(word)]);
      }
  });

  it('refuses patterns that would take too long', () => {
    const item = { attributes: { name: `${'a'.repeat(100_000)}b` }, tags: {} };
    const clauses = parseFilter(`name LIKE '%${'a_'.repeat(1000)}c'`, RULES);
    expect(errorOf(() => findMatches([item], clauses, (each) => each))).toMatchObject({
      code: 'INVALID_PARAMETER_VALUE',
      message: 'Parameter "filter" has patterns that take too long; use fewer "%", or shorter texts.',
    });
  });
});

describe('an order', () => {
  const KEYS = new Map([
    ['name', 'name'],
    ['timestamp', 'updated'],
  ]);

  it('is read with its direction', () => {
    expect(parseOrder(['name', 'attribute.timestamp  DESC'], KEYS)).toEqual([
      { key: 'name', isDescending: false },
      { key: 'updated', isDescending: true },
    ]);
  });

  it.each(['size', 'name down', 'name,timestamp', '', `name${' '.repeat(50_000)}x`])(
    'is refused: %j',
    (text) => {
      expect(errorOf(() => parseOrder([text], KEYS))).toMatchObject({ code: 'INVALID_PARAMETER_VALUE' });
    },
  );

  it('names a key once', () => {
    expect(errorOf(() => parseOrder(['name', 'name DESC'], KEYS))).toMatchObject({
      message: 'Parameter "order_by" names name more than once.',
    });
  });
});

describe('a page', () => {
  it('leads to the next one by a token in the form of MLflow', () => {
    const { items, nextPageToken } = pageOf([1, 2, 3], 2, undefined);
    expect(items).toEqual([1, 2]);
    // As MLflow 3.17.2 writes it, with a blank after the colon.
    expect(pageOf([1, 2, 3], 2, 'eyJvZmZzZXQiOiAyfQ==')).toEqual({ items: [3], nextPageToken: undefined });
    expect(pageOf([1, 2, 3], 2, nextPageToken)).toEqual({ items: [3], nextPageToken: undefined });
    expect(pageOf([1, 2], 2, '')).toEqual({ items: [1, 2], nextPageToken: undefined });
  });

  it.each([
    'abc',
    'eyJvZmZzZXQiOiAtMX0=',
    Buffer.from('{"offset":1e9}').toString('base64'),
    'x'.repeat(100_000),
  ])('has no token that was made up: %s', (token) => {
    expect(errorOf(() => pageOf([1], 1, token))).toMatchObject({
      message: 'Parameter "page_token" is not the "next_page_token" of an answer.',
    });
  });
});

/** Three models, a prompt, and a version with a run, beside the flower models. */
async function openSearched(): Promise<OpenRegistry> {
  const registry = await openRegistry();
  const create = (name: string, key: string, value: string) =>
    registry.ask('POST', 'registered-models/create', { name, tags: [{ key, value }] });
  await create('Alpha', 'a.team', 'red');
  await create('alpine', 'a.team', 'blue');
  await create('beta', 'a.team', 'red');
  await create('words', 'mlflow.prompt.is_prompt', 'true');
  const version = { name: 'beta', source: 'models:/iris/1', run_id: 'r1' };
  await registry.ask('POST', 'model-versions/create', version);
  return registry;
}

describe('a search', () => {
  const namesIn = async (registry: OpenRegistry, kind: string, fields: Record<string, unknown>) => {
    const body = await registry.ask('GET', `${kind}/search`, fields);
    const [list = []] = Object.values(body).filter(Array.isArray);
    return list.map(({ name, version }) => (version === undefined ? name : `${name}/${version}`));
  };

  it.each([
    [undefined, ['Alpha', 'alpine', 'beta', 'iris']],
    // What MlflowClient adds to every filter.
    ["name LIKE 'al%' AND tag.`mlflow.prompt.is_prompt` != 'true'", ['alpine']],
    ["name ILIKE 'AL%'", ['Alpha', 'alpine']],
    ["tags.`a.team` = 'red'", ['Alpha', 'beta']],
    ["tags.a.team != 'red'", ['alpine']],
    ["name IN ('beta', 'iris')", ['beta', 'iris']],
    ["name NOT IN ('beta', 'iris')", ['Alpha', 'alpine']],
    ["tags.`mlflow.prompt.is_prompt` = 'true'", ['words']],
    ["tags.`mlflow.prompt.is_prompt` = 'false'", ['Alpha', 'alpine', 'beta', 'iris']],
    ["name = 'nobody'", []],
  ])('for models finds %s', async (filter, expected) => {
    expect(
      await namesIn(await openSearched(), 'registered-models', filter === undefined ? {} : { filter }),
    ).toEqual(expected);
  });

  it.each([
    ["name = 'iris'", ['iris/2', 'iris/1']],
    ["name = 'iris' AND version_number < 2", ['iris/1']],
    ["run_id = 'r1'", ['beta/1']],
    ["source_path LIKE 'models:/iris/%'", ['beta/1']],
    [undefined, ['beta/1', 'iris/2', 'iris/1']],
  ])('for versions finds %s', async (filter, expected) => {
    expect(
      await namesIn(await openSearched(), 'model-versions', filter === undefined ? {} : { filter }),
    ).toEqual(expected);
  });

  it('comes in order and in pages', async () => {
    const registry = await openSearched();
    expect(await namesIn(registry, 'registered-models', { order_by: ['name DESC'] })).toEqual([
      'iris',
      'beta',
      'alpine',
      'Alpha',
    ]);
    expect(await namesIn(registry, 'registered-models', { order_by: ['timestamp DESC', 'name'] })).toEqual([
      'beta',
      'alpine',
      'Alpha',
      'iris',
    ]);
    const seen: unknown[] = [];
    let token: unknown = '';
    do {
      const page = await registry.ask('GET', 'registered-models/search', {
        max_results: 3,
        page_token: token,
      });
      seen.push(Array.isArray(page.registered_models) ? page.registered_models.length : 0);
      token = page.next_page_token;
    } while (token !== undefined);
    expect(seen).toEqual([3, 1]);
    for (const max_results of [0, 1001, -1, 'many', ''])
      expect((await registry.call('GET', 'mlflow/registered-models/search', { max_results })).status).toBe(
        max_results === '' ? 200 : 400,
      );
  });
});
