import { once } from 'node:events';
import { createServer } from 'node:https';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { LOCALHOST } from '../../../support/localhost-certificate.ts';
import { portOf } from '../../../support/port-of.ts';
import { startCommand, temporaryFolder } from '../../../support/run-command.ts';
import { listen } from '../../../support/send-part.ts';
import { writeFiles } from '../../../support/temporary-folder.ts';

describe('a server that leads elsewhere', () => {
  it('is not followed from https to http, nor in circles', async () => {
    const seen: (string | undefined)[] = [];
    const plain = await listen(async ({ headers }, response) => {
      seen.push(headers.authorization);
      response.writeHead(302, { location: plain.url }).end();
    });
    onTestFinished(() => plain.close());
    const secure = createServer(LOCALHOST, (_, response) => {
      response.writeHead(302, { location: `${plain.url}/secret?signature=secret` }).end();
    }).listen(0, 'localhost');
    await once(secure, 'listening');
    onTestFinished(() => {
      secure.closeAllConnections();
      secure.close();
    });
    const folder = await temporaryFolder();
    await writeFiles(folder, { 'localhost.pem': LOCALHOST.cert });
    const add = async (endpoint: string) => {
      const { code, stderr } = await startCommand(['add', 'hf://owner/repo', '-r', folder], '', {
        HF_ENDPOINT: endpoint,
        HF_TOKEN: 'hf_secret',
        NODE_EXTRA_CA_CERTS: join(folder, 'localhost.pem'),
      }).outcome;
      return [code, stderr];
    };
    const refusal = (host: string) =>
      `${host} leads revision "main" of owner/repo to ${plain.url}, which is not followed.\n`;
    const host = `localhost:${portOf(secure)}`;
    expect(await add(`https://${host}`)).toEqual([1, refusal(host)]);
    expect(seen).toEqual([]);
    expect(await add(plain.url)).toEqual([1, refusal(new URL(plain.url).host)]);
    expect(seen).toHaveLength(6);
  });
});
