import { createContext } from '../../functions/host.ts';
import type { Limits } from '../../shared/config.ts';
import type { InvocationContext } from '../../shared/protocols/invocation.ts';
import { testBudget } from './test-budget.ts';

/** The context of a request in a test. */
export function testContext(own: Partial<Limits> = {}): InvocationContext {
  return { context: createContext(new Headers(), 'test'), budget: testBudget(own) };
}
