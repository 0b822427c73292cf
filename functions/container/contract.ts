import { ConfigError, NAME_PATTERN } from '../../shared/config.ts';
import { readPort } from '../read-port.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** What a platform expects of a container. */
export interface Contract {
  readonly port: number;
  /** The folder or URL with the models. */
  readonly repository: string;
  /** Whether the platform has named or mounted the models, and waits with requests until the container is healthy. */
  readonly isMounted: boolean;
  /** The name of a model whose folder has none. */
  readonly modelName: string;
}

/** The models of an image that was made for them, or a folder that a person mounts. */
const OWN_FOLDER = '/models';

/**
 * The contract of the platform that has started the container. PORT and MODEL_REPOSITORY override those of all platforms.
 *
 * Sources: SageMaker's developer guide (custom inference code); KServe's documentation (storage initializer); Vertex
 * AI's documentation (requirements for custom containers); Azure ML's documentation (online endpoints).
 *
 * @param words the arguments of the container
 * @param exists whether a folder is there
 * @throws ConfigError
 */
export function readContract(
  environment: Environment,
  words: readonly string[],
  exists: (folder: string) => boolean,
): Contract {
  const isSageMaker = words.length === 1 && words[0] === 'serve';
  if (words.length > 0 && !isSageMaker) {
    throw new ConfigError(
      `The container has the arguments ${JSON.stringify(words.join(' ').slice(0, 100))}; expected none, or "serve".`,
    );
  }
  const mounted =
    textOf(environment, 'AIP_STORAGE_URI') ??
    textOf(environment, 'AZUREML_MODEL_DIR') ??
    [isSageMaker ? '/opt/ml/model' : '/mnt/models'].find(exists);
  const own = textOf(environment, 'MODEL_REPOSITORY');
  return {
    port: portOf(environment),
    repository: own ?? mounted ?? OWN_FOLDER,
    isMounted: own === undefined && mounted !== undefined,
    modelName: modelNameOf(environment),
  };
}

/**
 * The port by the contract of the platform; 8080 is the one of SageMaker, KServe, Vertex AI and Cloud Run.
 *
 * @throws ConfigError
 */
export function portOf(environment: Environment): number {
  for (const name of ['PORT', 'SAGEMAKER_BIND_TO_PORT', 'AIP_HTTP_PORT']) {
    const text = textOf(environment, name);
    if (text !== undefined) return readPort(text, name);
  }
  return textOf(environment, 'AZUREML_MODEL_DIR') === undefined ? 8080 : 5001;
}

/** An empty variable counts as unset. */
function textOf(environment: Environment, name: string): string | undefined {
  return environment[name]?.trim() || undefined;
}

function modelNameOf(environment: Environment): string {
  const name = textOf(environment, 'MODEL_NAME') ?? 'model';
  if (NAME_PATTERN.test(name)) return name;
  throw new ConfigError(
    `MODEL_NAME=${JSON.stringify(name)} must be a model name (letters, digits, ".", "_" and "-").`,
  );
}
