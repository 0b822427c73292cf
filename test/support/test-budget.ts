import { type Budget, createBudget } from '../../shared/budget.ts';
import { type Limits, parseConfig } from '../../shared/config.ts';

/** The default limits of a server, except those that are given. */
export function testLimits(own: Partial<Limits> = {}): Limits {
  return { ...parseConfig({}).limits, ...own };
}

/** The budget of one request under such limits. */
export function testBudget(own: Partial<Limits> = {}): Budget {
  return createBudget(testLimits(own));
}
