import { gracefulClose } from './graceful-close.ts';
import type { Proof } from './proof.ts';
import { releases } from './releases.ts';

/** All proofs, in the order of docs/guarantees.md. */
export const PROOFS: readonly Proof[] = [gracefulClose, releases];
