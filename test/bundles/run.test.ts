import { describeHttpHost } from '../contracts/http-host.ts';
import { openAzureBundle, openFunctionsFramework, openLambdaBundle } from '../hosts/child-process.ts';
import { RUNNABLE } from './targets.ts';

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
