import { type AnswerStyle, answerStyle } from '../../answers/answer.ts';
import type { Config } from '../../config.ts';
import type { Inference } from '../../inference/inference.ts';
import type { WritableJson } from '../../json/write-json.ts';
import type { ModelReference } from '../../models/model-reference.ts';

/**
 * Status of a model for three kinds of clients in one object: TensorFlow Serving's states, KServe's `ready`, OpenAI's
 * `object`. A model that can be loaded on demand is ready.
 *
 * @param reference a version that can be loaded
 * @param listed all versions if the client asks for them, lowest first
 */
export function encodeStatus(
  reference: ModelReference,
  listed: readonly string[] | undefined,
  inference: Inference,
): WritableJson {
  const versions = listed?.toReversed() ?? [reference.version];
  return {
    model_version_status: versions.map((version) => encodeVersion({ ...reference, version }, inference)),
    name: reference.name,
    ready: true,
    id: reference.name,
    object: 'model',
  };
}

function encodeVersion(reference: ModelReference, inference: Inference): WritableJson {
  const { version } = reference;
  switch (inference.state(reference)) {
    case 'failed': {
      const status = { error_code: 'UNAVAILABLE', error_message: 'The model failed to load.' };
      return { version, state: 'END', status };
    }
    case 'unloaded':
      return { version, state: 'END', status: OK };
    case 'loading':
      return { version, state: 'LOADING', status: OK };
    default:
      return { version, state: 'AVAILABLE', status: OK };
  }
}

const OK = { error_code: 'OK', error_message: '' };

/** Floats always show that they are. Source: WriteDecimal of TensorFlow Serving's json_tensor.cc. */
export function tensorFlowStyle(config: Config): AnswerStyle {
  return { ...answerStyle(config), isFloatMarked: true };
}
