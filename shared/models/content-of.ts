import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import type { NewContent } from '../stores/model-store.ts';

/** A content that is in memory. */
export function contentOf(bytes: Buffer): NewContent {
  return {
    sizeBytes: bytes.length,
    sha256: createHash('sha256').update(bytes).digest('hex'),
    open: () => Readable.from(bytes.length > 0 ? [bytes] : []),
  };
}
