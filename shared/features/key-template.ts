import { SettingsError } from '../processors/settings-error.ts';
import type { EntityKey, EntityMember, KeyProblem } from './feature-store.ts';

/** The key of an entity in a store, such as `customer:{id}`. */
export interface KeyTemplate {
  /** The members of the entity that it has. */
  readonly members: readonly number[];
  /** Finds a value that makes the text ambiguous: what follows it would seem to come sooner. */
  check(key: EntityKey): KeyProblem | undefined;
  /** Its text for one entity. */
  fill(key: EntityKey): string;
}

const PLACEHOLDER = /\{([^{}]*)\}/;

/**
 * Reads a template. `{name}` stands for the member of the entity of this name, and `{id}` for the only one.
 *
 * @throws SettingsError for a name that the entity does not have, and for two placeholders with nothing between them
 */
export function readTemplate(template: string, entity: readonly EntityMember[]): KeyTemplate {
  const parts = template.split(PLACEHOLDER);
  const members = parts.flatMap((part, index) =>
    index % 2 === 1 ? [findMember(part, entity, template)] : [],
  );
  // Placeholders are those of odd numbers, and what follows each is the next part.
  if (parts.some((part, index) => part === '' && index % 2 === 0 && index > 0 && index < parts.length - 1))
    throw new SettingsError(
      `the key "${template}" of the store has two placeholders with nothing between them`,
    );
  return {
    members,
    check: (key) => {
      for (const [index, member] of members.entries()) {
        const next = parts[index * 2 + 2] ?? '';
        const text = String(key[member]);
        if (next !== '' && (text + next).indexOf(next) < text.length)
          return { member, problem: `cannot be a part of a key with ${JSON.stringify(next)} after it.` };
      }
      return undefined;
    },
    fill: (key) =>
      parts
        .map((part, index) => (index % 2 === 1 ? String(key[members[(index - 1) / 2] ?? 0]) : part))
        .join(''),
  };
}

function findMember(name: string, entity: readonly EntityMember[], template: string): number {
  const index = entity.findIndex((member) => member.name === name);
  if (index >= 0) return index;
  if (name === 'id' && entity.length === 1) return 0;
  const known = entity.map((member) => `{${member.name}}`).join(', ');
  throw new SettingsError(
    `the key "${template}" of the store has {${name}}, and the entity has ${known}${entity.length === 1 ? ' or {id}' : ''}`,
  );
}

/**
 * Two entities would have the same key without one of the members.
 *
 * @throws SettingsError
 */
export function requireAll(templates: readonly KeyTemplate[], entity: readonly EntityMember[]): void {
  const used = new Set(templates.flatMap(({ members }) => members));
  const unused = entity.find((_, index) => !used.has(index));
  if (unused === undefined) return;
  throw new SettingsError(`the key of the store does not have {${unused.name}}, a part of the entity`);
}

/** @returns the first problem that one of the templates has with a key */
export function checkKey(templates: readonly KeyTemplate[], key: EntityKey): KeyProblem | undefined {
  for (const template of templates) {
    const problem = template.check(key);
    if (problem !== undefined) return problem;
  }
  return undefined;
}
