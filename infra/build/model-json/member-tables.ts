import type { JsonSchema } from './model-schema.ts';

/** A member of `model.json`, or of an object in it. */
interface Member {
  /** Such as `features[].name`. */
  readonly path: string;
  /** What it takes, in words. */
  readonly takes: string;
  readonly description: string;
}

/** The tables of docs/model-json.md by the names of their placeholders: all members, and the steps of images. */
export function makeMemberTables(schema: JsonSchema): Readonly<Record<string, string>> {
  const tasks = schema.oneOf ?? [];
  const names = tasks.map(({ properties }) => properties?.task?.const ?? '');
  const found = new Map<string, { member: Member; tasks: string[] }>();
  for (const [index, task] of tasks.entries()) {
    for (const member of membersOf(withAnyTask(task, names), '')) {
      const key = JSON.stringify(member);
      const entry = found.get(key) ?? { member, tasks: [] };
      entry.tasks.push(names[index] ?? '');
      found.set(key, entry);
    }
  }
  const entries = [...found.values()];
  const isShared = ({ tasks }: { readonly tasks: readonly string[] }) => tasks.length === names.length;
  return {
    'all-tasks': tableOf(
      ['Member', 'Takes', 'Meaning'],
      entries.filter(isShared).map(({ member }) => cellsOf(member)),
    ),
    'some-tasks': tableOf(
      ['Member', 'Tasks', 'Takes', 'Meaning'],
      entries
        .filter((entry) => !isShared(entry))
        .map(({ member, tasks: some }) => {
          const [path = '', ...others] = cellsOf(member);
          return [path, some.map((name) => `\`${name}\``).join(', '), ...others];
        }),
    ),
    steps: tableOf(
      ['Step', 'Option', 'Takes', 'Meaning'],
      stepsOf(tasks).flatMap((step) => {
        const name = `\`${step.properties?.step?.const}\``;
        const options = membersOf({ ...step, properties: without(step.properties, 'step') }, '');
        return [[name, '', '', step.description ?? ''], ...options.map((option) => ['', ...cellsOf(option)])];
      }),
    ),
  };
}

/** The member that names the task has one row for all tasks. */
function withAnyTask(schema: JsonSchema, names: readonly string[]): JsonSchema {
  const { const: _, ...task } = schema.properties?.task ?? {};
  return { ...schema, properties: { task: { ...task, enum: names }, ...without(schema.properties, 'task') } };
}

/** The alternatives of `preprocess`. */
function stepsOf(tasks: readonly JsonSchema[]): readonly JsonSchema[] {
  const [steps] = tasks.flatMap(({ properties }) => properties?.preprocess ?? []);
  return itemOf(steps)?.oneOf ?? [];
}

/** Members, and the members inside them; steps have a separate table. */
function membersOf(schema: JsonSchema, prefix: string): readonly Member[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, member]) => {
    const path = prefix + name;
    const own = { path, takes: takesOf(member), description: describe(path, member) };
    const item = itemOf(member);
    return [own, ...membersOf(member, `${path}.`), ...(item ? membersOf(item, `${path}[].`) : [])];
  });
}

/** @throws Error for a member without a description */
function describe(path: string, { description }: JsonSchema): string {
  if (description === undefined) throw new Error(`${path} of model.json has no description`);
  return description;
}

function takesOf(schema: JsonSchema): string {
  const { type, default: usual } = schema;
  const alternatives = schema.anyOf ?? schema.oneOf;
  const values = schema.enum ?? (schema.const === undefined ? undefined : [schema.const]);
  const words = values
    ? values.map((value) => `\`${value}\``).join(', ')
    : alternatives
      ? [...new Set(alternatives.map(takesOf))].join(' or ')
      : typeof type === 'string'
        ? (wordsOf(type, schema) ?? type)
        : (type ?? ['anything']).join(' or ');
  const isShown = usual !== undefined && !Array.isArray(usual);
  return isShown ? `${words}; default \`${String(usual)}\`` : words;
}

function wordsOf(type: string, { items, oneOf, properties, additionalProperties }: JsonSchema) {
  if (type === 'integer') return 'whole number';
  if (type === 'array' && Array.isArray(items)) return `list of ${items.length} ${pluralOf(items)}`;
  if (type === 'array') return `list of ${pluralOf(items)}`;
  if (type === 'object' && typeof additionalProperties === 'object') {
    return `object of ${pluralOf(additionalProperties)} by name`;
  }
  return (oneOf ?? properties) ? 'object' : undefined;
}

function pluralOf(item: JsonSchema['items']): string {
  const schema: JsonSchema | undefined = item && 'length' in item ? item[0] : item;
  if (schema?.oneOf) {
    const steps = schema.oneOf.map(({ properties }) => `\`${properties?.step?.const}\``);
    return `objects such as \`{"step": "${schema.oneOf[0]?.properties?.step?.const}"}\`, with the steps ${steps.join(', ')}`;
  }
  const words = takesOf(schema ?? {});
  return words.startsWith('list of ')
    ? words.replace('list', 'lists')
    : words.replaceAll(/\w+(?= or |$)/g, '$&s');
}

function itemOf(schema: JsonSchema | undefined): JsonSchema | undefined {
  return schema?.items && !('length' in schema.items) ? schema.items : undefined;
}

function without(members: JsonSchema['properties'], name: string): Readonly<Record<string, JsonSchema>> {
  return Object.fromEntries(Object.entries(members ?? {}).filter(([key]) => key !== name));
}

function cellsOf({ path, takes, description }: Member): readonly string[] {
  return [`\`${path}\``, takes, description];
}

function tableOf(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n').replaceAll('|  ', '| ');
}
