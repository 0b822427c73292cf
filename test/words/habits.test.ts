import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { PROJECT } from '../support/project.ts';
import { findHabits } from './habits.ts';
import { sentencesOf, writeCatalogue } from './messages.ts';

/** Texts of others, data, and the list of habits itself. */
const NOT_READ =
  /(?:^test\/words\/|^test\/fixtures\/(?!.*\.(?:py|md)$)|package-lock\.json|licenses\/|^LICENSE$)/;
const IS_TEXT = /\.(?:ts|mjs|md|py|json|sh|css|html|toml|ya?ml)$|^\.ci\/run$/;

describe('the words of the project', () => {
  it('have none of the habits that readers stumble over', () => {
    const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
      cwd: PROJECT,
      encoding: 'utf8',
    })
      .split('\n')
      .filter((file) => IS_TEXT.test(file) && !NOT_READ.test(file));
    expect(files.length).toBeGreaterThan(500);
    const found = files.flatMap((file) =>
      findHabits(readFileSync(join(PROJECT, file), 'utf8')).map(
        ({ habit, line, text, instead }) => `${file}:${line}: "${text}" (${habit}): write ${instead}`,
      ),
    );
    expect(found).toEqual([]);
  });
});

describe('a habit', () => {
  it.each([
    ['a comma behind it', 'behind'],
    ['what is no number', 'is no'],
    ['is told in one sentence', 'told'],
    ['whoever reads it', 'whoever'],
    ['Fine. Who sends none waits.', '. Who sends'],
    ['it goes on with that', 'goes on'],
    ['the run under way', 'under way'],
    ['a file that is none', 'is none'],
    ['it is kept for ever', 'for ever'],
    ['all but for one', 'but for'],
    ['handed on to others', 'handed on'],
    ['made anew', 'anew'],
    ['in the place of a model', 'in the place of'],
    ['a client that broke off', 'broke off'],
    ['so many rows', 'so many'],
    ['unknown type; known are a, b', 'known are'],
    ['100 parts; the most is 10', 'the most is'],
    ['a model of texts', 'model of texts'],
    ['a policy leaves it out', 'leaves it out'],
  ])('is found in "%s"', (text, expected) => {
    expect(findHabits(`first\n${text}`)).toEqual([expect.objectContaining({ text: expected, line: 2 })]);
  });

  it.each([
    'a server behind a proxy',
    'there is no model of that name',
    'the names, if there are any; undefined if there are none',
    'if frame is None',
    'it is no longer there',
    'it is no larger than that',
    'Who sends this request?',
    'the model behind an endpoint',
    'whether its scores are known to be probabilities',
    'most models of this kind',
    'which versions the policy leaves out',
  ])('is not found in "%s"', (text) => {
    expect(findHabits(text)).toEqual([]);
  });
});

describe('the page of all sentences', () => {
  it.each([
    ['`Model <JSON.stringify(name)> has no version`', ['Model {name} has no version']],
    ['`is <describeJson(value)>; expected a number.`', ['is {value}; expected a number.']],
    ['\'Field "a" is \' + `<value> of another kind`', ['{value} of another kind']],
    ["`import { readFile } from 'node:fs/promises';`", []],
    ["'application/json, text/csv'", []],
  ])('has of %s, where angle brackets stand for those of a template: %j', (code, expected) => {
    const text = code.replace('<', '${').replace('>', '}');
    expect(sentencesOf(`const text = ${text};`)).toEqual(expected);
  });

  it('is what the code says: npm run messages', () => {
    expect(readFileSync(join(PROJECT, 'docs/messages.md'), 'utf8')).toBe(writeCatalogue());
  });
});
