import { type CredentialSource, domainOf, type Environment, findCredentials } from '../../aws/credentials.ts';
import { isMembers } from '../../json/members.ts';
import { keepFresh } from '../../keep-fresh.ts';
import { unavailable } from '../../processors/processor.ts';
import { SettingsError } from '../../processors/settings-error.ts';
import type { EntityKey, EntityMember, FeatureStore, StoredValue } from '../feature-store.ts';
import { checkKey, type KeyTemplate, readTemplate, requireAll } from '../key-template.ts';
import { readRow } from '../read-row.ts';
import { refuseUnknown, requireText, requireUrl } from '../settings.ts';
import { createBatchGet, type Item, type TableAddress } from './batch-get.ts';
import { type AttributeValue, ownMember, readAttribute } from './values.ts';

/** The settings of `dynamodb`. */
export interface DynamoDbSettings {
  readonly table: string | undefined;
  /**
   * The attributes of the key of an item. The name of one attribute, which is the id of the entity as text; or each
   * attribute with its text, such as `{ PK: 'CUSTOMER#{id}', SK: 'FEATURES' }`, or `{ customer_id: { N: '{id}' } }` for a
   * number. `{name}` stands for the member of the entity of this name, and `{id}` for the only one.
   */
  readonly key: string | Readonly<Record<string, string | { readonly N: string }>>;
  /** By default AWS_REGION or AWS_DEFAULT_REGION. */
  readonly region?: string | undefined;
  /** Another address; by default AWS_ENDPOINT_URL_DYNAMODB or AWS_ENDPOINT_URL, else that of the region. */
  readonly endpoint?: string | undefined;
  /**
   * Makes credentials, as the providers of AWS's SDK do. By default they come from the environment, the container or the
   * instance.
   */
  readonly credentials?: CredentialSource;
  /** Whether a read sees all writes before it, for twice the price. By default not. */
  readonly consistentRead?: boolean;
}

const SUBJECT = 'The store "dynamodb"';
const SETTINGS: readonly (keyof DynamoDbSettings)[] = [
  'table',
  'key',
  'region',
  'endpoint',
  'credentials',
  'consistentRead',
];

/**
 * Features in a table of DynamoDB.
 *
 * @throws SettingsError
 */
export function openDynamoDb(settings: DynamoDbSettings, environment: Environment): FeatureStore {
  refuseUnknown(SUBJECT, settings, SETTINGS);
  const address = readAddress(settings, environment);
  const { consistentRead: isConsistent = false } = settings;
  const keyParts = readKeyParts(settings.key);
  const batchGet = createBatchGet(address);
  return {
    title: address.title,
    plan: ({ entity, features }) => {
      const attributes = keyParts.map((part) => ({ ...part, template: readTemplate(part.text, entity) }));
      const templates = attributes.map(({ template }) => template);
      requireAll(templates, entity);
      for (const attribute of attributes) checkNumber(attribute, entity);
      const projected = [...new Set([...attributes.map(({ name }) => name), ...features])];
      return {
        keepsTexts: false,
        check: (key) => checkKey(templates, key),
        read: async (keys, signal) => {
          const asked = keys.map((key) => writeKey(attributes, key));
          // A number and a text of its digits are two ids, but can be one key, and no request may have a key twice.
          const unique = new Map(asked.map((key) => [identityOf(key, attributes), key]));
          const items = await batchGet([...unique.values()], { attributes: projected, isConsistent }, signal);
          const byIdentity = new Map(items.map((item) => [identityOf(item, attributes), item]));
          return asked.map((key) =>
            readRow(() => readFeatures(byIdentity.get(identityOf(key, attributes)), features)),
          );
        },
      };
    },
  };
}

function readAddress(settings: DynamoDbSettings, environment: Environment): TableAddress {
  const table = requireText(SUBJECT, 'table', settings.table);
  const region = requireText(
    SUBJECT,
    'region',
    settings.region ?? environment.AWS_REGION ?? environment.AWS_DEFAULT_REGION,
  );
  const endpoint = settings.endpoint ?? environment.AWS_ENDPOINT_URL_DYNAMODB ?? environment.AWS_ENDPOINT_URL;
  const address = endpoint ?? `https://dynamodb.${region}.${domainOf(region)}`;
  return {
    title: `The table ${JSON.stringify(table)} of DynamoDB`,
    table,
    region,
    url: requireUrl(SUBJECT, address, ['http:', 'https:']),
    credentials: keepFresh(
      'credentials of AWS',
      settings.credentials ?? (() => findCredentials(environment, unavailable)),
    ),
  };
}

interface KeyPart {
  /** Of the attribute. */
  readonly name: string;
  readonly text: string;
  readonly isNumber: boolean;
}

type KeyAttribute = KeyPart & { readonly template: KeyTemplate };

function readKeyParts(key: DynamoDbSettings['key']): readonly KeyPart[] {
  if (typeof key === 'string' && key !== '') return [{ name: key, text: '{id}', isNumber: false }];
  const parts = isMembers(key) ? Object.entries(key) : [];
  if (parts.length !== 1 && parts.length !== 2)
    throw new SettingsError(`${SUBJECT} needs the name of an attribute, or one or two attributes, as "key".`);
  return parts.map(([name, value]) => {
    if (typeof value === 'string') return { name, text: value, isNumber: false };
    if (isMembers(value) && typeof value.N === 'string') return { name, text: value.N, isNumber: true };
    throw new SettingsError(
      `${SUBJECT} needs a text or { N: text } for ${JSON.stringify(name)} of its "key".`,
    );
  });
}

/** @throws SettingsError when an attribute is a number, and what is in its place may be a text */
function checkNumber(
  { name, text, isNumber, template }: KeyAttribute,
  entity: readonly EntityMember[],
): void {
  if (!isNumber) return;
  const [index, other] = template.members;
  const member = index === undefined ? undefined : entity[index];
  const isFixed = member === undefined && /^-?\d+$/.test(text);
  const isWhole = other === undefined && /^\{[^{}]*\}$/.test(text) && member?.type === 'number';
  if (isFixed || isWhole) return;
  throw new SettingsError(
    `the attribute ${JSON.stringify(name)} of the key is a number; it needs a member of the entity with {"name": ${JSON.stringify(member?.name ?? 'id')}, "type": "number"}`,
  );
}

function writeKey(attributes: readonly KeyAttribute[], key: EntityKey): AttributeValue {
  return Object.fromEntries(
    attributes.map(({ name, isNumber, template }) => [name, { [isNumber ? 'N' : 'S']: template.fill(key) }]),
  );
}

function identityOf(item: Item, attributes: readonly KeyAttribute[]): string {
  return JSON.stringify(attributes.map(({ name }) => readAttribute(ownMember(item, name), name)));
}

function readFeatures(item: Item | undefined, features: readonly string[]): readonly StoredValue[] {
  return features.map((name) => {
    const value = item === undefined ? undefined : ownMember(item, name);
    return value === undefined ? undefined : readAttribute(value, name);
  });
}
