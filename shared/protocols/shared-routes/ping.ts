import * as z from 'zod';
import { jsonResponse } from '../../http/respond.ts';
import type { Operation, ProtocolOptions } from '../operation.ts';

/**
 * The health check of TorchServe, SageMaker and MLflow. The first reads the body, the others the status alone. It
 * loads no model: platforms ask it every few seconds, and models are loaded on demand.
 */
export function createPingOperation({ inference, logger }: ProtocolOptions): Operation {
  return {
    method: 'GET',
    path: '/ping',
    summary: 'Whether the server is healthy',
    response: { 'application/json': z.object({ status: z.enum(['Healthy', 'Unhealthy']) }) },
    handle: async () => {
      try {
        await inference.checkRuntime();
        return jsonResponse({ status: 'Healthy' });
      } catch (error) {
        logger.log('error', 'inference runtime failed to load', { error });
        return jsonResponse({ status: 'Unhealthy' }, 500);
      }
    },
  };
}
