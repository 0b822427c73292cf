import { expect, it } from 'vitest';
import { lazily } from '../../../../shared/protocols/body/lazily.ts';

it('makes a value of any kind once, when it is first asked for', () => {
  const made: string[] = [];
  const thing = lazily(() => {
    made.push('thing');
    return {};
  });
  const nothing = lazily(() => {
    made.push('nothing');
    return undefined;
  });
  expect(made).toEqual([]);
  expect(thing()).toBe(thing());
  expect([nothing(), nothing()]).toEqual([undefined, undefined]);
  expect(made).toEqual(['thing', 'nothing']);
});
