import { createAzureMlProtocol } from './azure-ml/azure-ml.ts';
import { createCatalog } from './catalog.ts';
import { createHuggingFaceProtocol } from './hugging-face/hugging-face.ts';
import { createKServeProtocol } from './kserve/kserve.ts';
import { createMlflowProtocol } from './mlflow/mlflow.ts';
import { createOpenInferenceProtocol } from './oip/open-inference.ts';
import { createPredictProtocol } from './predict/predict.ts';
import type { Protocol, ProtocolOptions } from './protocol.ts';
import { createSageMakerProtocol } from './sagemaker/sagemaker.ts';
import { createTensorFlowServingProtocol } from './tensorflow-serving/tensorflow-serving.ts';
import { createTorchServeProtocol } from './torchserve/torchserve.ts';
import { createUbiOpsProtocol } from './ubiops/ubiops.ts';
import { createVertexAiProtocol } from './vertex-ai/vertex-ai.ts';

/** All protocols, in the order in which they are asked for a route. A new one is one line here. */
export function createProtocols(options: ProtocolOptions): readonly Protocol[] {
  const all = [
    // First, as the routes it is told by the environment win.
    createVertexAiProtocol(options),
    createCatalog(options),
    createPredictProtocol(options),
    createOpenInferenceProtocol(options),
    createTensorFlowServingProtocol(options),
    createKServeProtocol(options),
    createSageMakerProtocol(options),
    createMlflowProtocol(options),
    createAzureMlProtocol(options),
    createHuggingFaceProtocol(options),
    createUbiOpsProtocol(options),
    // Last, as it has routes that begin with the name of a model.
    createTorchServeProtocol(options),
  ];
  const enabled: readonly string[] = ['catalog', ...options.config.protocols];
  return all.filter(({ name }) => enabled.includes(name));
}
