import type { Limits } from '../../shared/config.ts';
import type { InvocationContext } from '../../shared/protocols/invocation.ts';
import { testBudget } from './test-budget.ts';

/** What surrounds a request of a test. */
export function testContext(own: Partial<Limits> = {}): InvocationContext {
  return { context: { requestId: 'test', coldStart: false }, budget: testBudget(own) };
}
