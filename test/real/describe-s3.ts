import { randomUUID } from 'node:crypto';
import { CreateBucketCommand, DeleteObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { openS3Store, type S3StoreOptions } from '../../shared/stores/s3.ts';
import { describeModelStore, type Lacks, type OpenStore } from '../contracts/model-store.ts';

/** How a server with the protocol of S3 is reached. */
export interface S3Address {
  readonly endpoint: string;
  readonly region: string;
  readonly forcePathStyle: true;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
}

/** A client of AWS's SDK, which sees what the store does. */
export function connect(address: S3Address): S3Client {
  return new S3Client(address);
}

/** Makes a bucket of a new name. */
export async function createBucket(client: S3Client): Promise<string> {
  const bucket = `models-${randomUUID()}`;
  const location = { CreateBucketConfiguration: { LocationConstraint: 'eu-west-1' } } as const;
  await client.send(new CreateBucketCommand({ Bucket: bucket, ...location }));
  return bucket;
}

/**
 * What a model repository in a bucket of a real server does, with its objects written by AWS's SDK.
 *
 * @param addressOf is called when the server runs
 */
export function describeBuckets(server: string, addressOf: () => S3Address, lacks: Lacks = {}): void {
  for (const [name, prefix] of [
    [`a bucket of ${server}`, ''],
    [`a prefix in a bucket of ${server}`, 'team a/models/'],
  ] as const) {
    const open: OpenStore = async (files) => {
      const options: S3StoreOptions = addressOf();
      const client = connect(addressOf());
      const bucket = files ? await createBucket(client) : 'not-there';
      const write = async (path: string, content: string | Uint8Array) => {
        await client.send(
          new PutObjectCommand({ Bucket: bucket, Key: prefix + path, Body: Buffer.from(content) }),
        );
      };
      for (const [path, content] of Object.entries(files ?? {})) await write(path, content);
      return {
        store: openS3Store(`s3://${bucket}/${prefix}`, options),
        write,
        remove: async (path) => {
          await client.send(new DeleteObjectCommand({ Bucket: bucket, Key: prefix + path }));
        },
        close: async () => client.destroy(),
      };
    };
    describeModelStore(name, open, lacks);
  }
}
