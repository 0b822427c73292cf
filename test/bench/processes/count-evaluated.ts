// Preloaded into a server: appends the path and the bytes of each module that it evaluates to the file EVALUATED_FILE.
import { appendFileSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { fileURLToPath } from 'node:url';

const file = process.env.EVALUATED_FILE ?? '';

registerHooks({
  load: (url, context, next) => {
    const loaded = next(url, context);
    if (url.startsWith('file:') && loaded.source !== undefined && loaded.source !== null) {
      appendFileSync(file, `${Buffer.byteLength(loaded.source.toString())} ${fileURLToPath(url)}\n`);
    }
    return loaded;
  },
});
