import { expect, it } from 'vitest';
import { describeHttpHost } from '../contracts/http-host.ts';
import { openAzureBundle, openFunctionsFramework, openServerBundle } from '../support/hosts/child-process.ts';
import { openLambdaBundle } from '../support/hosts/lambda-bundle.ts';
import { RUNNABLE } from '../support/targets.ts';

it('builds the local target for this platform', () => {
  expect(RUNNABLE.map(({ name }) => name)).toContain('local');
});

const OPENERS = {
  aws: (target: string) => openLambdaBundle(target, 'http-api'),
  'gcp-server': (target: string) => openServerBundle(target),
  gcp: (target: string) => openFunctionsFramework(target),
  azure: (target: string) => openAzureBundle(target),
  container: (target: string) => openServerBundle(target),
};

for (const { name } of RUNNABLE) {
  const [, open] = Object.entries(OPENERS).find(([cloud]) => name.startsWith(cloud)) ?? [];
  if (open) describeHttpHost(`dist/${name} in a process of its own`, () => open(name));
}
