import { expect, it } from 'vitest';
import { describeHttpHost } from '../contracts/http-host.ts';
import { openAzureBundle, openFunctionsFramework } from '../support/hosts/child-process.ts';
import { openLambdaBundle } from '../support/hosts/lambda-bundle.ts';
import { RUNNABLE } from '../support/targets.ts';

it('builds the local target for this platform', () => {
  expect(RUNNABLE.map(({ name }) => name)).toContain('local');
});

const OPENERS = {
  aws: (target: string) => openLambdaBundle(target, 'http-api'),
  gcp: (target: string) => openFunctionsFramework(target),
  azure: (target: string) => openAzureBundle(target),
};

for (const { name } of RUNNABLE) {
  for (const [cloud, open] of Object.entries(OPENERS)) {
    if (name.startsWith(cloud)) describeHttpHost(`dist/${name} in a process of its own`, () => open(name));
  }
}
