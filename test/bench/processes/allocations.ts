// Bytes of new JavaScript objects per request, without any collection in between: allocations.ts <requests>
// Needs --expose-gc, and a space for new objects that holds all of them: --min-semi-space-size=64 --max-semi-space-size=64
import { PerformanceObserver } from 'node:perf_hooks';
import { createContext, createHost } from '../../../functions/host.ts';
import { BytesRequest } from '../../../shared/http/bytes.ts';
import { HeaderList } from '../../../shared/http/header-list.ts';
import { openFilesystemStore } from '../../../shared/stores/filesystem.ts';
import { MODELS, PAGES } from '../../support/project.ts';

const count = Number(process.argv[2]);
const { app } = createHost({
  environment: { LOG_LEVEL: 'silent', PRELOAD_MODELS: 'iris' },
  modelRepository: MODELS,
  pagesFolder: PAGES,
  stores: { file: openFilesystemStore },
  cpus: 1,
});
await app.preload();
const body = Buffer.from('{"features":[5.1,3.5,1.4,0.2]}');

async function ask(): Promise<void> {
  const headers = new HeaderList({ 'content-type': 'application/json', host: 'localhost' });
  const request = new BytesRequest('http://localhost/predict', { method: 'POST', headers }, body);
  const { status } = await app.fetch(request, createContext(headers, undefined));
  if (status !== 200) throw new Error(`the status is ${status}`);
}

let collections = 0;
const observer = new PerformanceObserver((list) => (collections += list.getEntries().length));
// The code is compiled as far as it will be.
for (let index = 0; index < 20_000; index++) await ask();
globalThis.gc?.();
await new Promise((resolve) => setTimeout(resolve, 50));
observer.observe({ entryTypes: ['gc'] });
const before = process.memoryUsage().heapUsed;
for (let index = 0; index < count; index++) await ask();
const after = process.memoryUsage().heapUsed;
await new Promise((resolve) => setTimeout(resolve, 50));
console.log(JSON.stringify({ bytes: (after - before) / count, collections }));
await app.close();
