import { createHash, timingSafeEqual } from 'node:crypto';

/** Who sent a request with the right secret. */
export interface Holder {
  /** The name beside a password, made of printable characters; undefined without one. */
  readonly user: string | undefined;
}

/**
 * Who sent a request that has a secret as `Authorization: Bearer <secret>`; undefined if it has another one, or none. The
 * time that this takes does not depend on the secret.
 *
 * @param allowsBasic whether the secret may also be the password of `Authorization: Basic`
 */
export function holderOf(headers: Headers, secret: string, allowsBasic = false): Holder | undefined {
  const [, scheme = '', given = ''] =
    /^(bearer|basic) +(.*)$/i.exec(headers.get('authorization') ?? '') ?? [];
  if (scheme.toLowerCase() !== 'basic')
    return isSame(given, secret) && scheme !== '' ? { user: undefined } : undefined;
  const text = Buffer.from(given, 'base64').toString();
  const colon = text.indexOf(':');
  const isHolder = isSame(text.slice(colon + 1), secret) && colon >= 0 && allowsBasic;
  return isHolder ? { user: printableName(text.slice(0, colon)) } : undefined;
}

function isSame(given: string, secret: string): boolean {
  return timingSafeEqual(digestOf(given), digestOf(secret));
}

function digestOf(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

const LONGEST_NAME = 100;

function printableName(name: string): string | undefined {
  return name.replace(/[^\p{L}\p{N}\p{P}\p{S} ]/gu, '').slice(0, LONGEST_NAME) || undefined;
}
