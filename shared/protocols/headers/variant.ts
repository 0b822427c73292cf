import type { Answer } from '../../http/context.ts';
import { LIVE, NAMED } from '../../models/model-reference.ts';

/** What a client can name to get the same version again: the target that a rule or range has chosen, or else the version. */
export function variantOf({ usage }: Pick<Answer, 'usage'>): string {
  const { version = '', variant } = usage?.reference ?? {};
  return variant === undefined || [LIVE, NAMED].includes(variant) ? version : variant;
}
