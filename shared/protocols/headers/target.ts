import { invalid } from '../../errors.ts';
import type { NamedChoice } from '../../inference/inference.ts';

const TFS_METHODS = ['predict', 'classify', 'regress'] as const;
export type TfsMethod = (typeof TFS_METHODS)[number];

const PREFIX = 'x-amzn-sagemaker-';
/** Name of the single variant that SageMaker's SDK creates for a model. */
const ONLY_VARIANT = 'AllTraffic';

/**
 * The model that the headers of a SageMaker client name, or else the one in its path: a target model of a multi-model
 * endpoint, a component or a container of an endpoint, or a model of the TensorFlow Serving container. A variant stands
 * for a version.
 */
export function chooseTarget(headers: Headers, choice: NamedChoice): NamedChoice {
  const attributes = readCustomAttributes(headers);
  const archive = headers.get(`${PREFIX}target-model`);
  const model =
    (archive === null ? undefined : modelOfArchive(archive)) ??
    headers.get(`${PREFIX}inference-component`) ??
    headers.get(`${PREFIX}target-container-hostname`) ??
    attributes.get('tfs-model-name');
  const variant = headers.get(`${PREFIX}target-variant`);
  const version = variant === ONLY_VARIANT ? undefined : (variant ?? attributes.get('tfs-model-version'));
  const target = model === undefined || model === choice.model ? choice : { model };
  return version === undefined ? target : { ...target, version };
}

/** `models/iris.tar.gz` → `iris` */
function modelOfArchive(path: string): string {
  const [name = ''] = path.split('/').slice(-1);
  return name.replace(/\.tar\.gz$/, '');
}

/** Whether a request is for SageMaker's TensorFlow Serving container. */
export function isForTensorFlow(headers: Headers): boolean {
  return readCustomAttributes(headers).size > 0;
}

/**
 * The method that the TensorFlow Serving container has to run.
 *
 * @throws InferenceError for a method it does not have
 */
export function readTfsMethod(headers: Headers): TfsMethod | undefined {
  const given = readCustomAttributes(headers).get('tfs-method');
  const method = TFS_METHODS.find((known) => known === given);
  if (given === undefined || method !== undefined) return method;
  throw invalid(
    `The attribute tfs-method is ${JSON.stringify(given.slice(0, 40))}; expected one of ${TFS_METHODS.join(', ')}.`,
  );
}

/** `tfs-model-name=m,tfs-method=predict`: the attributes of the TensorFlow Serving container. Others are the client's own. */
function readCustomAttributes(headers: Headers): ReadonlyMap<string, string> {
  const text = headers.get(`${PREFIX}custom-attributes`) ?? '';
  return new Map(
    [...text.matchAll(/(?:^|,)\s*(tfs-[\w-]+)\s*=\s*([^,]*)/g)].map(([, name = '', value = '']) => [
      name,
      value.trim(),
    ]),
  );
}

/** Names the deployment of an endpoint of Azure ML: the one that a request is for, and the one that has answered. */
export const DEPLOYMENT = 'azureml-model-deployment';

/** The deployment of an endpoint that a request is for: a version of the model, or an alias that stands for one. */
export function readDeployment(headers: Headers): string | undefined {
  return headers.get(DEPLOYMENT) ?? undefined;
}

/** Whether a request comes from a client of MLflow, on a route that SageMaker's clients use too. */
export function isFromMlflow(headers: Headers): boolean {
  return /^mlflow/i.test(headers.get('user-agent') ?? '');
}
