import { SettingsError } from '../processors/settings-error.ts';
import type { EntityKey, EntityMember } from './feature-store.ts';

/** The key of an entity in a store, such as `customer:{id}`. */
export interface KeyTemplate {
  /** The members of the entity that it has. */
  readonly members: readonly number[];
  /** Its text for one entity. */
  fill(key: EntityKey): string;
}

const PLACEHOLDER = /\{([^{}]*)\}/;

/**
 * Reads a template. `{name}` stands for the member of the entity of this name, and `{id}` for the only one.
 *
 * @throws SettingsError for a name that the entity does not have
 */
export function readTemplate(template: string, entity: readonly EntityMember[]): KeyTemplate {
  const parts = template.split(PLACEHOLDER);
  const members = parts.flatMap((part, index) =>
    index % 2 === 1 ? [findMember(part, entity, template)] : [],
  );
  return {
    members,
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
