import { createCatalog } from './catalog.ts';
import { createKServeProtocol } from './kserve/kserve.ts';
import { createMlflowProtocol } from './mlflow/mlflow.ts';
import { createOpenInferenceProtocol } from './oip/open-inference.ts';
import { createPredictProtocol } from './predict/predict.ts';
import type { Protocol, ProtocolOptions } from './protocol.ts';
import { createSageMakerProtocol } from './sagemaker/sagemaker.ts';
import { createTensorFlowServingProtocol } from './tensorflow-serving/tensorflow-serving.ts';
import { createTorchServeProtocol } from './torchserve/torchserve.ts';

/** All protocols, in the order in which they are asked for a route. A new one is one line here. */
export function createProtocols(options: ProtocolOptions): readonly Protocol[] {
  const all = [
    createPredictProtocol(options),
    createOpenInferenceProtocol(options),
    createTensorFlowServingProtocol(options),
    createKServeProtocol(options),
    createSageMakerProtocol(options),
    createMlflowProtocol(options),
    // Last, as it has routes that begin with the name of a model.
    createTorchServeProtocol(options),
  ];
  const enabled: readonly string[] = options.config.protocols;
  return [createCatalog(options), ...all.filter(({ name }) => enabled.includes(name))];
}
