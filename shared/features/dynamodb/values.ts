import { isMembers } from '../../json/members.ts';
import type { StoredValue } from '../feature-store.ts';

/** A value as DynamoDB writes it in JSON: an object with its type as the only member. */
export type AttributeValue = Readonly<Record<string, unknown>>;

/** The member of a name that comes from elsewhere: all objects have a `constructor` that is not their own. */
export function ownMember(members: Readonly<Record<string, unknown>>, name: string): unknown {
  return Object.hasOwn(members, name) ? members[name] : undefined;
}

/**
 * The value of an attribute. Numbers become those of JavaScript, with 15 to 17 digits of up to 38.
 *
 * @param name of the attribute, for errors
 * @throws Error for binary values, and for what DynamoDB does not write
 */
export function readAttribute(value: unknown, name: string): StoredValue {
  const [[type, content] = [], other] = isMembers(value) ? Object.entries(value) : [];
  if (other === undefined) {
    if (type === 'S' && typeof content === 'string') return content;
    if (type === 'N' && typeof content === 'string') return readNumber(content, name);
    if (type === 'BOOL' && typeof content === 'boolean') return content;
    if (type === 'NULL') return null;
    if (type === 'L' && Array.isArray(content)) return content.map((each) => readAttribute(each, name));
    if (type === 'M' && isMembers(content)) {
      return Object.fromEntries(
        Object.entries(content).map(([key, member]) => [key, readAttribute(member, name)]),
      );
    }
    if (type === 'SS' && Array.isArray(content))
      return content.map((each) => readAttribute({ S: each }, name));
    if (type === 'NS' && Array.isArray(content))
      return content.map((each) => readAttribute({ N: each }, name));
  }
  const found = type === 'B' || type === 'BS' ? 'binary' : 'no value of DynamoDB';
  throw new Error(`the attribute ${JSON.stringify(name)} is ${found}`);
}

function readNumber(text: string, name: string): number {
  const value = Number(text);
  if (text.trim() !== '' && Number.isFinite(value)) return value;
  throw new Error(`the attribute ${JSON.stringify(name)} is not a number`);
}
