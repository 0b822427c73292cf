type Environment = Readonly<Record<string, string | undefined>>;

/**
 * What a cloud says about the process in its environment; nothing elsewhere. Source: semantic conventions 1.44, FaaS and
 * cloud resources.
 */
export function describeHost(
  environment: Environment,
  instance: string,
): Readonly<Record<string, string | number>> {
  const known = describeAws(environment) ?? describeGoogle(environment) ?? describeAzure(environment);
  if (!known) return {};
  const all = { ...known, 'faas.instance': instance };
  return Object.fromEntries(
    Object.entries(all).flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const])),
  );
}

type Facts = Readonly<Record<string, string | number | undefined>>;

function describeAws(environment: Environment): Facts | undefined {
  const { AWS_LAMBDA_FUNCTION_NAME: name, AWS_LAMBDA_FUNCTION_MEMORY_SIZE: megabytes } = environment;
  if (!name) return undefined;
  return {
    'cloud.provider': 'aws',
    'cloud.platform': 'aws_lambda',
    'cloud.region': environment.AWS_REGION,
    'faas.name': name,
    'faas.version': environment.AWS_LAMBDA_FUNCTION_VERSION,
    'faas.max_memory': megabytes === undefined ? undefined : Number(megabytes) * 1024 ** 2,
  };
}

/** Functions of the second generation are services of Cloud Run that also name their entry point. */
function describeGoogle(environment: Environment): Facts | undefined {
  const { K_SERVICE: name, K_REVISION: version, FUNCTION_TARGET: target } = environment;
  if (!name) return undefined;
  return {
    'cloud.provider': 'gcp',
    'cloud.platform': target === undefined ? 'gcp_cloud_run' : 'gcp_cloud_functions',
    'faas.name': name,
    'faas.version': version,
  };
}

/** Other apps of App Service have the name as well, but no runtime of functions. */
function describeAzure(environment: Environment): Facts | undefined {
  const { WEBSITE_SITE_NAME: name, FUNCTIONS_WORKER_RUNTIME: runtime, REGION_NAME: region } = environment;
  if (!name || !runtime) return undefined;
  return {
    'cloud.provider': 'azure',
    'cloud.platform': 'azure.functions',
    'cloud.region': region,
    'faas.name': name,
  };
}
