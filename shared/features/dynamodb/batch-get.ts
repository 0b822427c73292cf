import type { AwsCredentials } from '../../aws/credentials.ts';
import { sha256Of, signRequest } from '../../aws/sign.ts';
import { createHttpClient } from '../../http/http-client.ts';
import { isMembers, parseMembers } from '../../json/members.ts';
import type { Kept } from '../../keep-fresh.ts';
import { unavailable } from '../../processors/processor.ts';
import { type AttributeValue, ownMember } from './values.ts';

/** A table, and how to reach it. */
export interface TableAddress {
  readonly title: string;
  readonly table: string;
  readonly region: string;
  readonly url: URL;
  readonly credentials: Kept<AwsCredentials>;
}

/** What is asked for of each key. */
export interface Projection {
  readonly attributes: readonly string[];
  readonly isConsistent: boolean;
}

export type Item = Readonly<Record<string, unknown>>;

/** Reads items by their keys. */
export type BatchGet = (
  keys: readonly AttributeValue[],
  projection: Projection,
  signal: AbortSignal,
) => Promise<readonly Item[]>;

/** The most keys that one request can have. Source: the reference of BatchGetItem. */
const MOST_KEYS = 100;
/** How often a page is asked for again before the table counts as unavailable. */
const MOST_ATTEMPTS = 8;
const FIRST_DELAY_MS = 25;
const LONGEST_DELAY_MS = 1000;

/** Reads with BatchGetItem, all pages at once. What DynamoDB left out or refused for now is asked for again. */
export function createBatchGet(address: TableAddress): BatchGet {
  const send = createSend(address);
  const { title, table } = address;
  return async (keys, { attributes, isConsistent }, signal) => {
    const names = Object.fromEntries(attributes.map((name, index) => [`#${index}`, name]));
    const request = {
      ProjectionExpression: Object.keys(names).join(', '),
      ExpressionAttributeNames: names,
      ...(isConsistent && { ConsistentRead: true }),
    };
    const readPage = async (page: readonly unknown[]) => {
      const items: Item[] = [];
      let left = page;
      for (let attempt = 1; ; attempt += 1) {
        const answer = await send({ RequestItems: { [table]: { ...request, Keys: left } } }, signal);
        if (answer !== 'later') {
          items.push(...itemsOf(answer, address));
          left = unprocessedOf(answer, address);
          if (left.length === 0) return items;
        }
        if (attempt === MOST_ATTEMPTS) throw unavailable(`${title} answers too few requests`);
        await wait(delayMs(attempt), signal);
      }
    };
    const pages = Array.from({ length: Math.ceil(keys.length / MOST_KEYS) }, (_, index) =>
      keys.slice(index * MOST_KEYS, (index + 1) * MOST_KEYS),
    );
    return (await Promise.all(pages.map(readPage))).flat();
  };
}

/** Delays grow, and differ, so that all who were refused at once do not come back at once. */
function delayMs(attempt: number): number {
  return Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** attempt) * (0.5 + Math.random() / 2);
}

function wait(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const leave = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', leave);
      resolve();
    }, ms);
    signal.addEventListener('abort', leave, { once: true });
    if (signal.aborted) leave();
  });
}

/** Refusals for now. Source: the pages about errors of DynamoDB. */
const LATER =
  /(?:ProvisionedThroughputExceeded|Throttling|RequestLimitExceeded|InternalServerError|ServiceUnavailable|InternalFailure)/;

const HEADERS = {
  'content-type': 'application/x-amz-json-1.0',
  'x-amz-target': 'DynamoDB_20120810.BatchGetItem',
} as const;

/** @returns `later` if the same request can succeed soon */
function createSend({ title, region, url, credentials }: TableAddress) {
  const client = createHttpClient(title, unavailable);
  return async (body: object, signal: AbortSignal): Promise<'later' | Item> => {
    const text = JSON.stringify(body);
    const signed = signRequest(
      { method: 'POST', url, headers: HEADERS, bodySha256: sha256Of(text) },
      { service: 'dynamodb', region, credentials: await credentials(signal), now: new Date() },
    );
    const answer = await client.send({ method: 'POST', url, headers: signed, body: text }, signal);
    const parsed = parseMembers(answer.text);
    if (answer.status === 200) return parsed;
    const type = typeof parsed.__type === 'string' ? parsed.__type : '';
    if (LATER.test(type) || answer.status >= 500) return 'later';
    const name = /(?:^|#)(\w{1,60})$/.exec(type)?.[1];
    throw new Error(`${title} answered with ${answer.status}${name === undefined ? '' : ` ${name}`}`);
  };
}

function itemsOf(answer: Item, { title, table }: TableAddress): readonly Item[] {
  const responses = answer.Responses;
  const items = isMembers(responses) ? (ownMember(responses, table) ?? []) : undefined;
  if (Array.isArray(items) && items.every(isMembers)) return items;
  throw new Error(`${title} answered with something else than items`);
}

function unprocessedOf(answer: Item, { title, table }: TableAddress): readonly unknown[] {
  const unprocessed = answer.UnprocessedKeys;
  const ofTable = isMembers(unprocessed) ? ownMember(unprocessed, table) : undefined;
  if (ofTable === undefined) return [];
  const keys = isMembers(ofTable) ? ofTable.Keys : undefined;
  if (Array.isArray(keys)) return keys;
  throw new Error(`${title} answered with something else than keys`);
}
