import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { LEVELS } from '../support/levels.ts';
import { PROJECT } from '../support/project.ts';

const read = (path: string) => readFileSync(join(PROJECT, path), 'utf8');
const page = read('docs/architecture.md');
const texts = [page, read('CONTRIBUTING.md')];

const find = (pattern: string) => globSync(pattern, { cwd: PROJECT });
const sources = find('{shared,functions,test,infra}/**/*.ts').map(read);

/** The cells of each row of the tables below a heading, without the row of names. */
function rowsBelow(heading: string): readonly (readonly string[])[] {
  const section = page.split(/^##+ /m).find((text) => text.startsWith(`${heading}\n`)) ?? '';
  const rows = section.split('\n').filter((line) => line.startsWith('| '));
  return rows.slice(2).map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

const namesIn = (text = '') => [...text.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name);

describe('the page of the architecture', () => {
  it('names only files and folders that are there', () => {
    const rooted = /(?<![\w./-])(?:shared|functions|test|infra|docs|models|\.ci)\/(?:[\w./*-]|<\w+>)*/g;
    const paths = texts.flatMap((text) =>
      [...text.matchAll(rooted)].map(([path]) => path.replace(/\.$/, '')),
    );
    expect(paths.length).toBeGreaterThan(100);
    // A placeholder stands for the names that exist, and a part can be one file.
    const isThere = (path: string) => [path, `${path}.ts`].some((each) => find(each).length > 0);
    expect(paths.filter((path) => !isThere(path.replaceAll(/<\w+>/g, '*')))).toEqual([]);
    const alone = texts.flatMap((text) => [...text.matchAll(/`([\w-]+\.ts)`/g)].map(([, name = '']) => name));
    expect(alone.filter((name) => find(`{shared,functions}/**/${name}`).length === 0)).toEqual([]);
  });

  it('names only what the file in its row has', () => {
    const pairs = [...page.matchAll(/`([\w./-]+\.ts)`\s\((`\w+`(?:,\s`\w+`)*)\)/g)].flatMap(
      ([, path = '', names]) => namesIn(names).map((name) => ({ path, name })),
    );
    const members = [...page.matchAll(/`(\w+)` of `([\w./-]+\.ts)`/g)].map(([, name = '', path = '']) => ({
      path,
      name,
    }));
    expect(pairs.length).toBeGreaterThan(30);
    expect(members.length).toBeGreaterThan(8);
    const wrong = [...pairs, ...members].filter(
      ({ path, name }) => !new RegExp(`\\b${name}\\b`).test(read(path)),
    );
    expect(wrong).toEqual([]);
  });

  it('has the steps of a request, one to eight, each with its code', () => {
    const steps = [...page.matchAll(/^(\d)\. \*\*[^*]+\.\*\*(?:.*\n {3})+Code: /gm)].map(([, step]) => step);
    expect(steps).toEqual(['1', '2', '3', '4', '5', '6', '7', '8']);
  });

  it('has the levels of the architecture test', () => {
    const rows = rowsBelow('Who may import whom');
    expect(rows.map(([level]) => level)).toEqual(LEVELS.map((_, index) => String(index + 1)));
    expect(rows.map(([, parts]) => namesIn(parts))).toEqual(LEVELS);
  });

  it('shows each part that is a folder in its picture', () => {
    const [, picture = ''] = /^```mermaid\n(.*?)^```$/ms.exec(page) ?? [];
    const folders = LEVELS.flat().filter((part) => find(`${part}/`).length > 0);
    expect(folders.length).toBeGreaterThan(10);
    expect(folders.filter((part) => !picture.includes(part))).toEqual([]);
  });

  it('explains words that are exported', () => {
    const names = rowsBelow('Words').flatMap(([, cell]) => namesIn(cell));
    expect(names.length).toBeGreaterThan(40);
    const isExported = (name: string) => {
      const declared = new RegExp(
        String.raw`^export (?:async )?(?:interface|type|class|const|function\*?) ${name}\b`,
        'm',
      );
      return sources.some((source) => declared.test(source));
    };
    expect(names.filter((name) => !isExported(name))).toEqual([]);
    expect(new Set(names).size).toBe(names.length);
  });

  it('names only scripts that exist', () => {
    const { scripts } = JSON.parse(read('package.json'));
    const named = texts.flatMap((text) =>
      [...text.matchAll(/npm run ([\w:]+)/g)].map(([, name = '']) => name),
    );
    expect(named.length).toBeGreaterThan(10);
    expect(named.filter((name) => scripts[name] === undefined)).toEqual([]);
  });
});
