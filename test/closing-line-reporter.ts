import type { Reporter, TestModule } from 'vitest/node';

/** Ends a run with one plain line that any script can read. */
export default class ClosingLineReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const tests = modules.flatMap((module) => [...module.children.allTests()]);
    const count = (state: string) => tests.filter((test) => test.result().state === state).length;
    const brokenModules = modules.filter(
      (module) => module.state() === 'failed' && module.errors().length > 0,
    );
    if (modules.some((module) => isInBrowser(module) && module.state() === 'skipped')) {
      console.log(
        '\nskipped what runs in a browser: there is no Chromium here, and CHROMIUM_PATH names none',
      );
    }
    const skipped = count('skipped') > 0 ? `, ${count('skipped')} skipped` : '';
    console.log(`\n${count('passed')} passed, ${count('failed') + brokenModules.length} failed${skipped}`);
  }
}

function isInBrowser({ moduleId }: TestModule): boolean {
  return /\/test\/(?:browser\/|site\/pages\.)/.test(moduleId.replaceAll('\\', '/'));
}
