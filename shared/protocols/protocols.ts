import { createAzureMlProtocol, invokeAzureMl } from './azure-ml/routes.ts';
import { createCatalog } from './catalog.ts';
import { createHuggingFaceProtocol, invokeHuggingFace } from './hugging-face/routes.ts';
import { taskResponse } from './hugging-face/schemas.ts';
import { withCloudEvents } from './kserve/cloud-events.ts';
import { createKServeProtocol } from './kserve/routes.ts';
import { createMlflowProtocol, invokeMlflow } from './mlflow/routes.ts';
import { createOpenInferenceProtocol, invokeOpenInference } from './open-inference/routes.ts';
import { inferRequest, inferResponse } from './open-inference/schemas.ts';
import type { Protocol, ProtocolOptions } from './operation.ts';
import { createPredictProtocol } from './predict/routes.ts';
import { createSageMakerProtocol, invokeSageMaker } from './sagemaker/routes.ts';
import { createTensorFlowContainer } from './sagemaker/tensorflow-container.ts';
import { createGraphs } from './shared-routes/graphs.ts';
import { createSharedRoutes } from './shared-routes/shared-routes.ts';
import { classify, createTensorFlowServingProtocol, regress } from './tensorflow-serving/routes.ts';
import { createVersionDescriber } from './torchserve/management.ts';
import { createTorchServeProtocol, invokeTorchServe } from './torchserve/routes.ts';
import { createUbiOpsProtocol } from './ubiops/routes.ts';
import { createV1Operations, predict } from './v1/routes.ts';
import { predictRequest, predictResponse } from './v1/schemas.ts';
import { createVertexAiProtocol, invokeVertexAi } from './vertex-ai/routes.ts';

/**
 * All protocols, in the order in which their routes are tried. A new protocol needs one line here. Protocols do not
 * import each other: a part that one needs from another is passed to it.
 */
export function createProtocols(options: ProtocolOptions): readonly Protocol[] {
  const shared = createSharedRoutes(options, {
    'open-inference': invokeOpenInference,
    'tensorflow-serving': createTensorFlowContainer({ predict, classify, regress }),
    kserve: predict,
    torchserve: invokeTorchServe,
    sagemaker: invokeSageMaker,
    mlflow: invokeMlflow,
    'vertex-ai': invokeVertexAi,
    'azure-ml': invokeAzureMl,
    'hugging-face': invokeHuggingFace,
  });
  const v1 = createV1Operations(options, withCloudEvents);
  const graphs = createGraphs(options.config, {
    'open-inference': { invoke: invokeOpenInference, request: inferRequest, response: inferResponse },
    kserve: { invoke: predict, request: predictRequest, response: predictResponse },
  });
  const all = [
    // First, because routes from the environment win.
    createVertexAiProtocol(options, shared),
    createCatalog(options, createVersionDescriber(options)),
    createPredictProtocol(options, { invoke: invokeHuggingFace, response: taskResponse }),
    createOpenInferenceProtocol(options),
    createTensorFlowServingProtocol(options, v1),
    createKServeProtocol(options, v1, graphs.operation(options)),
    createSageMakerProtocol(options, shared),
    createMlflowProtocol(options, shared),
    createAzureMlProtocol(options),
    createHuggingFaceProtocol(options, graphs),
    createUbiOpsProtocol(options),
    // Last, because it has routes that begin with the name of a model.
    createTorchServeProtocol(options, shared),
  ];
  const enabled: readonly string[] = ['catalog', ...options.config.protocols];
  return all.filter(({ name }) => enabled.includes(name));
}
