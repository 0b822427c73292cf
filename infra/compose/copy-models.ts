// Copies the example models into a bucket, which it makes: node infra/compose/copy-models.ts <bucket>
import { globSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  BucketAlreadyExists,
  BucketAlreadyOwnedByYou,
  CreateBucketCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';

const MODELS = join(import.meta.dirname, '../../models');

const [bucket] = process.argv.slice(2);
if (bucket === undefined) throw new Error('usage: node infra/compose/copy-models.ts <bucket>');

// The server may have started at the same time. Ten tries take about half a minute.
const client = new S3Client({ forcePathStyle: true, maxAttempts: 10 });
await client.send(new CreateBucketCommand({ Bucket: bucket })).catch((error: unknown) => {
  if (!(error instanceof BucketAlreadyOwnedByYou || error instanceof BucketAlreadyExists)) throw error;
});
// The scripts that made the models are beside the versions.
const files = globSync('*/*/*', { cwd: MODELS });
for (const path of files) {
  const object = {
    Bucket: bucket,
    Key: path.replaceAll('\\', '/'),
    Body: await readFile(join(MODELS, path)),
  };
  await client.send(new PutObjectCommand(object));
}
console.log(`copied ${files.length} files to s3://${bucket}`);
