import { describe, expect, it } from 'vitest';
import { type Environment, findStorageAccount } from '../../../shared/azure/storage-account.ts';

const KEY = 'c2VjcmV0LWtleS1zZWNyZXQta2V5LXNlY3JldA==';
const SIGNATURE = 'sv=2021-12-02&ss=b&srt=sco&sp=rl&se=2030-01-01T00:00:00Z&sig=a%2Bb%2Fc%3D';
const EMULATOR = 'http://127.0.0.1:10000/devstoreaccount1';

function connection(text: string, others: Environment = {}): Environment {
  return { AZURE_STORAGE_CONNECTION_STRING: text, ...others };
}

const key = { is: 'key', key: KEY };
const signature = { is: 'signature', query: SIGNATURE };
const shop = { name: 'shop', endpoint: 'https://shop.blob.core.windows.net' };

describe('the storage account of a process', () => {
  it.each<[string, Environment, object]>([
    ['a name alone', { AZURE_STORAGE_ACCOUNT: 'shop' }, { ...shop, proof: undefined }],
    ['a key', { AZURE_STORAGE_ACCOUNT: 'shop', AZURE_STORAGE_KEY: KEY }, { ...shop, proof: key }],
    [
      'a signature with a question mark',
      { AZURE_STORAGE_ACCOUNT: 'shop', AZURE_STORAGE_SAS_TOKEN: ` ?${SIGNATURE}\n` },
      { ...shop, proof: signature },
    ],
    [
      'a key and a signature',
      { AZURE_STORAGE_ACCOUNT: 'shop', AZURE_STORAGE_SAS_TOKEN: SIGNATURE, AZURE_STORAGE_KEY: KEY },
      { ...shop, proof: key },
    ],
    [
      'a connection string as the portal shows it',
      connection(
        `DefaultEndpointsProtocol=https;AccountName=shop;AccountKey=${KEY};EndpointSuffix=core.windows.net`,
      ),
      { ...shop, proof: key },
    ],
    [
      'a connection string of another cloud',
      connection(`AccountName=shop;AccountKey=${KEY};EndpointSuffix=core.chinacloudapi.cn`),
      { name: 'shop', endpoint: 'https://shop.blob.core.chinacloudapi.cn', proof: key },
    ],
    [
      'a connection string with a signature',
      connection(`BlobEndpoint=https://shop.blob.core.windows.net/;SharedAccessSignature=${SIGNATURE}`),
      { ...shop, proof: signature },
    ],
    [
      'a connection string before other variables',
      connection(`AccountName=shop;AccountKey=${KEY};`, {
        AZURE_STORAGE_ACCOUNT: 'other',
        AZURE_STORAGE_KEY: 'other',
      }),
      { ...shop, proof: key },
    ],
    [
      'a connection string without a key, and a variable with it',
      connection('AccountName=shop', { AZURE_STORAGE_KEY: KEY }),
      { ...shop, proof: key },
    ],
    [
      'the emulator',
      connection('UseDevelopmentStorage=true'),
      {
        name: 'devstoreaccount1',
        endpoint: EMULATOR,
        proof: {
          is: 'key',
          key: 'Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==',
        },
      },
    ],
    [
      'an emulator elsewhere',
      connection(`BlobEndpoint=http://localhost:7000/mine/;AccountKey=${KEY}`),
      { name: 'mine', endpoint: 'http://localhost:7000/mine', proof: key },
    ],
  ])('is found by %s', (_, environment, account) => {
    expect(findStorageAccount(environment)).toEqual(account);
  });

  it.each<[string, Environment, object]>([
    ['shop.blob.core.windows.net', connection(`AccountName=shop;AccountKey=${KEY}`), { ...shop, proof: key }],
    [
      'other.blob.core.windows.net',
      connection(`AccountName=shop;AccountKey=${KEY}`),
      { name: 'other', endpoint: 'https://other.blob.core.windows.net', proof: undefined },
    ],
    [
      'other.blob.core.windows.net',
      { AZURE_STORAGE_ACCOUNT: 'shop', AZURE_STORAGE_KEY: KEY, AZURE_STORAGE_SAS_TOKEN: SIGNATURE },
      { name: 'other', endpoint: 'https://other.blob.core.windows.net', proof: undefined },
    ],
    [
      'shop.z01.blob.storage.azure.net',
      { AZURE_STORAGE_SAS_TOKEN: SIGNATURE },
      { name: 'shop', endpoint: 'https://shop.z01.blob.storage.azure.net', proof: signature },
    ],
    [
      'blobs.example.com:8443',
      connection(`BlobEndpoint=https://blobs.example.com:8443;AccountName=shop;AccountKey=${KEY}`),
      { name: 'shop', endpoint: 'https://blobs.example.com:8443', proof: key },
    ],
  ])('is the one of the server %s', (server, environment, account) => {
    expect(findStorageAccount(environment, server)).toEqual(account);
  });

  it.each<[Environment, string | undefined, string]>([
    [{}, undefined, 'there is no account; set AZURE_STORAGE_ACCOUNT or AZURE_STORAGE_CONNECTION_STRING'],
    [
      { AZURE_STORAGE_ACCOUNT: 'shop.blob.core.windows.net' },
      undefined,
      'AZURE_STORAGE_ACCOUNT is "shop.blob.core.windows.net"; expected the name of an account',
    ],
    [connection(KEY), undefined, 'AZURE_STORAGE_CONNECTION_STRING has neither AccountName nor BlobEndpoint'],
    [
      connection(`BlobEndpoint=shop;AccountKey=${KEY}`),
      undefined,
      'AZURE_STORAGE_CONNECTION_STRING does not lead to an address of http:// or https://',
    ],
    [
      connection(`BlobEndpoint=https://shop.blob.core.windows.net?${SIGNATURE}`),
      undefined,
      'AZURE_STORAGE_CONNECTION_STRING does not lead to an address of http:// or https://',
    ],
    [
      { AZURE_STORAGE_ACCOUNT: 'shop', AZURE_STORAGE_SAS_TOKEN: `${SIGNATURE} ${KEY}` },
      undefined,
      'AZURE_STORAGE_SAS_TOKEN is not a shared access signature; expected a query such as sv=…&sig=…',
    ],
    [
      { AZURE_STORAGE_KEY: KEY },
      'blob.core.windows.net.example.com',
      '"blob.core.windows.net.example.com" is not a server of Azure; expected <account>.blob.core.windows.net, or the one of BlobEndpoint in AZURE_STORAGE_CONNECTION_STRING',
    ],
  ])('is not found by %j at %s, and the message has no secret', (environment, server, message) => {
    expect(() => findStorageAccount(environment, server)).toThrow(new Error(message));
  });
});
