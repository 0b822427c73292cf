import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeMemberTables } from './member-tables.ts';
import { makeModelSchema } from './model-schema.ts';

const DOCS = join(import.meta.dirname, '../../../docs');
/** The JSON schema of `model.json`, as editors read it. */
export const SCHEMA_FILE = join(DOCS, 'model.schema.json');
/** The page that explains it. */
export const PAGE_FILE = join(DOCS, 'model-json.md');

/** The content of the files that are generated from the schemas of the tasks, by their paths. */
export async function makeModelJsonFiles(): Promise<ReadonlyMap<string, string>> {
  const page = readFileSync(PAGE_FILE, 'utf8');
  const schema = await makeModelSchema(examplesIn(page));
  return new Map([
    [SCHEMA_FILE, `${JSON.stringify(schema, null, 2)}\n`],
    [PAGE_FILE, withTables(page, makeMemberTables(schema))],
  ]);
}

/** The complete examples of a page: its JSON blocks that name a task. A block can also show a list or a member alone. */
export function examplesIn(page: string): readonly object[] {
  return [...page.matchAll(/^```json\n(\{.*?)^```$/gms)]
    .map(([, text = '']) => JSON.parse(text))
    .filter((example) => 'task' in example);
}

function withTables(page: string, tables: Readonly<Record<string, string>>): string {
  return page.replaceAll(
    /(<!-- made of the schemas: ([\w-]+) -->\n)(?:.|\n)*?(\n<!-- end -->)/g,
    (_, start: string, name: string, end: string) => `${start}\n${tables[name] ?? ''}\n${end}`,
  );
}
