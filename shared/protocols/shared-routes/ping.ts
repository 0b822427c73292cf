import * as z from 'zod/mini';
import { jsonResponse } from '../../http/respond.ts';
import type { Operation, ProtocolOptions } from '../operation.ts';

/**
 * The health check of TorchServe, SageMaker and MLflow. The first reads the body, the others read only the status. It
 * loads no model: platforms ask it every few seconds, and models are loaded on demand.
 */
export function createPingOperation({ inference, logger }: ProtocolOptions): Operation {
  return {
    method: 'GET',
    path: '/ping',
    summary: 'Check the health of the server',
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
