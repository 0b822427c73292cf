import { createHash, createHmac } from 'node:crypto';
import { SignatureV4 } from '@smithy/signature-v4';
import { describe, expect, it } from 'vitest';
import { escapeForAws, sha256Of, signRequest } from '../../../shared/aws/sign.ts';

const KEYS = { accessKeyId: 'AKID', secretAccessKey: 'very-secret' };

describe('a signature', () => {
  class Sha256 {
    readonly #hash;
    constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
      this.#hash =
        secret === undefined
          ? createHash('sha256')
          : createHmac(
              'sha256',
              ArrayBuffer.isView(secret)
                ? Buffer.from(secret.buffer, secret.byteOffset, secret.byteLength)
                : String(secret),
            );
    }
    update(chunk: Uint8Array): void {
      this.#hash.update(chunk);
    }
    digest(): Promise<Uint8Array> {
      return Promise.resolve(this.#hash.digest());
    }
    reset(): void {
      throw new Error('it is used once');
    }
  }

  it.each([
    ['dynamodb', 'POST', 'http://127.0.0.1:8000', undefined, '{}'],
    ['dynamodb', 'POST', 'https://dynamodb.eu-west-1.amazonaws.com', 'a/token+with=', '{"a":"ü😀"}'],
    [
      's3',
      'GET',
      `https://models.s3.eu-west-1.amazonaws.com/${escaped("team a/ü&+!'()*~.bin")}`,
      undefined,
      '',
    ],
    ['s3', 'PUT', `http://127.0.0.1:9000/models/${escaped('a=b?c#d%25')}`, 'token', 'content'],
    [
      's3',
      'GET',
      `http://127.0.0.1:9000/models?list-type=2&prefix=${escapeForAws('team a/ü*')}&continuation-token=${escapeForAws('a+/=')}`,
      undefined,
      '',
    ],
  ])("is that of AWS's own signer: %s %s %s", async (service, method, address, sessionToken, body) => {
    const url = new URL(address);
    const now = new Date('2026-11-29T01:02:03.456Z');
    const headers = { 'content-type': 'application/x-amz-json-1.0', 'x-amz-target': 'T.O' };
    const region = 'eu-west-1';
    const known = { ...KEYS, ...(sessionToken !== undefined && { sessionToken }) };
    const signer = new SignatureV4({
      service,
      region,
      credentials: known,
      sha256: Sha256,
      uriEscapePath: service !== 's3',
      applyChecksum: false,
    });
    const expected = await signer.sign(
      {
        method,
        protocol: url.protocol,
        hostname: url.hostname,
        path: url.pathname,
        query: Object.fromEntries(url.searchParams),
        headers: { ...headers, host: url.host },
        body,
      },
      { signingDate: now },
    );
    const request = { method, url, headers, bodySha256: sha256Of(body) };
    expect(signRequest(request, { service, region, credentials: known, now })).toEqual(expected.headers);
  });
});

function escaped(key: string): string {
  return key.split('/').map(escapeForAws).join('/');
}
