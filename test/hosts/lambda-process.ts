// Runs a Lambda bundle as the Lambda runtime would: node lambda-process.ts <folder> <port> <event source>
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { EVENT_SOURCES, fromResult, toEvent } from './lambda-events.ts';
import { serve } from './node-server.ts';

const [folder = '', port = '', sourceName = ''] = process.argv.slice(2);
const source = EVENT_SOURCES.find((candidate) => candidate === sourceName);
if (!source) throw new Error(`unknown event source ${sourceName}`);

const { handler } = await import(pathToFileURL(join(folder, 'index.mjs')).href);
serve(Number(port), async (request) => {
  const result: unknown = await handler(toEvent(source, request), { awsRequestId: 'invoke-id' });
  // The runtime sends the answer as JSON.
  return fromResult(source, request.method, JSON.parse(JSON.stringify(result)));
});
