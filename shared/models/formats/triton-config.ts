import { ModelError } from '../model-config.ts';
import { TRITON_FILE } from './format-folder.ts';
import { messagesOf, numberOf, readTextProto, TextProtoError, type TextProtoMessage } from './text-proto.ts';

/** Which versions of a model are served, in Triton's JSON form. Source: ModelVersionPolicy of model_config.proto. */
export type VersionPolicy =
  | { readonly latest: { readonly num_versions: number } }
  | { readonly all: Readonly<Record<string, never>> }
  | { readonly specific: { readonly versions: readonly number[] } };

/** @throws ModelError when it is not in the text format of protocol buffers */
export function parseTritonConfig(text: string): TextProtoMessage {
  try {
    return readTextProto(text);
  } catch (error) {
    if (!(error instanceof TextProtoError)) throw error;
    throw new ModelError(`its ${TRITON_FILE} cannot be read: ${error.message}`, { cause: error });
  }
}

/**
 * The `version_policy` of a `config.pbtxt`; undefined without one. An empty one serves all versions, as in Triton.
 *
 * @throws ModelError when it cannot be read, or its policy is not valid
 */
export function readVersionPolicy(text: string): VersionPolicy | undefined {
  const message = parseTritonConfig(text);
  if (!message.fields.has('version_policy')) return undefined;
  const [policy, ...others] = messagesOf(message, 'version_policy');
  const [choice = 'all', ...choices] = policy?.fields.keys() ?? [];
  if (!policy || others.length > 0 || choices.length > 0 || !isChoice(choice)) {
    throw policyError('must be one of latest, all and specific');
  }
  const chosen = policy.fields.size === 0 ? { fields: new Map() } : messagesOf(policy, choice).at(-1);
  if (!chosen) throw policyError(`has a ${choice} that is not a message`);
  return CHOICES[choice](chosen);
}

const CHOICES = {
  latest: (message) => ({
    latest: { num_versions: wholeOf(numberOf(message, 'num_versions'), 'num_versions') },
  }),
  all: () => ({ all: {} }),
  specific: ({ fields }) => ({
    specific: { versions: (fields.get('versions') ?? []).map((version) => wholeOf(version, 'versions')) },
  }),
} as const satisfies Record<string, (message: TextProtoMessage) => VersionPolicy>;

function isChoice(name: string): name is keyof typeof CHOICES {
  return Object.hasOwn(CHOICES, name);
}

function wholeOf(value: unknown, field: string): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
  throw policyError(`has ${field} that are not whole numbers of at least 0`);
}

function policyError(problem: string): ModelError {
  return new ModelError(`its ${TRITON_FILE} cannot be read: its version_policy ${problem}`);
}
