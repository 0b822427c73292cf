// Stands in for the compiled part of AWS's runtime client: node --import native-client.ts <client>
import { type IncomingMessage, request } from 'node:http';
import { Module } from 'node:module';
import { text } from 'node:stream/consumers';

const api = process.env.AWS_LAMBDA_RUNTIME_API ?? '';

/** The compiled client returns when its answer is sent; here the next event is requested only then. */
let sent: Promise<unknown> = Promise.resolve();

const nativeClient = {
  initializeClient: () => undefined,
  next: async () => {
    await sent;
    const incoming = await send('GET', 'next');
    return { bodyJson: await text(incoming), headers: incoming.headers };
  },
  done: (id: string, body: string) => {
    sent = send('POST', `${id}/response`, body).then(text);
  },
  error: (id: string, body: string) => {
    sent = send('POST', `${id}/error`, body).then(text);
  },
};

const originalRequire = Module.prototype.require;
Module.prototype.require = Object.assign(function (this: Module, id: string): unknown {
  return id === './rapid-client.node' ? nativeClient : originalRequire.call(this, id);
}, originalRequire);

function send(method: string, path: string, body = ''): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const headers = method === 'POST' ? { 'content-length': Buffer.byteLength(body) } : {};
    request(`http://${api}/2018-06-01/runtime/invocation/${path}`, { method, headers }, resolve)
      .on('error', reject)
      .end(body);
  });
}
