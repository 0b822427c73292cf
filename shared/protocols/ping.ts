import * as z from 'zod';
import { jsonResponse } from '../http/respond.ts';
import type { Operation } from './protocol.ts';

/**
 * Whether the server is alive: TorchServe's clients read the status out of the body, those of SageMaker and MLflow look
 * at the status code alone.
 */
export const ping: Operation = {
  method: 'GET',
  path: '/ping',
  summary: 'Whether the server is alive',
  response: { 'application/json': z.object({ status: z.literal('Healthy') }) },
  handle: () => jsonResponse({ status: 'Healthy' }),
};
