import { type Budget, createBudget } from '../../shared/budget.ts';
import { type Limits, parseConfig } from '../../shared/config.ts';

/** The limits of a server that sets none, but for some. */
export function testLimits(own: Partial<Limits> = {}): Limits {
  return { ...parseConfig({}).limits, ...own };
}

/** The budget of one request under such limits. */
export function testBudget(own: Partial<Limits> = {}): Budget {
  return createBudget(testLimits(own));
}
