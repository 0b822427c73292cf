import { createCatalog } from './catalog.ts';
import { createMlflowProtocol } from './mlflow/mlflow.ts';
import { createOpenInferenceProtocol } from './oip/open-inference.ts';
import { createPredictProtocol } from './predict/predict.ts';
import type { Protocol, ProtocolOptions } from './protocol.ts';
import { createSageMakerProtocol } from './sagemaker/sagemaker.ts';
import { createTensorFlowServingProtocol } from './tensorflow-serving/tensorflow-serving.ts';

/** All protocols, in the order in which they are asked for a route. A new one is one line here. */
export function createProtocols(options: ProtocolOptions): readonly Protocol[] {
  const all = [
    createPredictProtocol(options),
    createOpenInferenceProtocol(options),
    createTensorFlowServingProtocol(options),
    createSageMakerProtocol(options),
    createMlflowProtocol(options),
  ];
  const enabled: readonly string[] = options.config.protocols;
  return [createCatalog(options), ...all.filter(({ name }) => enabled.includes(name))];
}
