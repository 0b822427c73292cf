import type { DialectName } from '../../config.ts';
import { invokeAzureMl } from '../azure-ml/invoke-azure-ml.ts';
import { invokeHuggingFace } from '../hugging-face/invoke-hugging-face.ts';
import type { Dialect } from '../invocation.ts';
import { invokeMlflow } from '../mlflow/invoke-mlflow.ts';
import { invokeOpenInference } from '../oip/open-inference.ts';
import { invokeSageMaker } from '../sagemaker/invoke-sagemaker.ts';
import { invokeTensorFlow } from '../sagemaker/tensorflow-container.ts';
import { predict } from '../tensorflow-serving/predict.ts';
import { invokeTorchServe } from '../torchserve/predict.ts';
import { invokeVertexAi } from '../vertex-ai/predict.ts';
import { discriminate } from './discriminate.ts';

/** Each format of the shared routes. */
const DIALECTS: Readonly<Record<DialectName, Dialect>> = {
  'open-inference': invokeOpenInference,
  'tensorflow-serving': invokeTensorFlow,
  kserve: predict,
  torchserve: invokeTorchServe,
  sagemaker: invokeSageMaker,
  mlflow: invokeMlflow,
  'vertex-ai': invokeVertexAi,
  'azure-ml': invokeAzureMl,
  'hugging-face': invokeHuggingFace,
};

/**
 * Answers a request on a route that several servers have, such as `/invocations`: in the format `DIALECT` names, or
 * in the one its headers and body show.
 */
export const invoke: Dialect = async (invocation, options) => {
  if (options.config.dialect !== undefined)
    return await DIALECTS[options.config.dialect](invocation, options);
  const found = await discriminate(invocation, options);
  return await DIALECTS[found.dialect](found.invocation, options);
};
