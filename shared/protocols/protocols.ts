import type { DialectName } from '../config.ts';
import { loadOnce } from '../memo.ts';
import type { Dialect } from './invocation.ts';
import type { ListedProtocol, Protocol, ProtocolOptions } from './operation.ts';
import { routesOf } from './route-table.ts';

/**
 * All protocols, in the order in which their routes are tried. A new protocol needs one line here, and its routes in
 * the table of routes. Each is loaded with the first request to it. Protocols do not import each other: a part that
 * one needs from another is passed to it.
 */
export function createProtocols(options: ProtocolOptions): readonly ListedProtocol[] {
  const shared = loadOnce(async () => {
    const { createSharedRoutes } = await import('./shared-routes/shared-routes.ts');
    return createSharedRoutes(options, DIALECTS);
  });
  const v1 = loadOnce(async () => {
    const [{ createV1Operations }, { withCloudEvents }] = await Promise.all([
      import('./v1/routes.ts'),
      import('./kserve/cloud-events.ts'),
    ]);
    return createV1Operations(options, withCloudEvents);
  });
  const graphs = loadOnce(async () => {
    const { createGraphs } = await import('./shared-routes/graphs.ts');
    return createGraphs(options.config, {
      'open-inference': {
        invoke: DIALECTS['open-inference'],
        request: async () => (await import('./open-inference/schemas.ts')).inferRequest(),
        response: async () => (await import('./open-inference/schemas.ts')).inferResponse(),
      },
      kserve: {
        invoke: DIALECTS.kserve,
        request: async () => (await import('./v1/schemas.ts')).predictRequest(),
        response: async () => (await import('./v1/schemas.ts')).predictResponse(),
      },
    });
  });
  const loaders: Readonly<Record<string, () => Promise<Protocol>>> = {
    // First, because routes from the environment win.
    'vertex-ai': async () => {
      const { createVertexAiProtocol } = await import('./vertex-ai/routes.ts');
      return createVertexAiProtocol(options, await shared());
    },
    metrics: async () => (await import('./metrics.ts')).createMetricsProtocol(options),
    catalog: async () => {
      const [{ createCatalog }, { createVersionDescriber }] = await Promise.all([
        import('./catalog.ts'),
        import('./torchserve/management.ts'),
      ]);
      return createCatalog(options, createVersionDescriber(options));
    },
    ternion: async () => {
      const { createPredictProtocol } = await import('./predict/routes.ts');
      return createPredictProtocol(options, {
        invoke: DIALECTS['hugging-face'],
        response: async () => (await import('./hugging-face/schemas.ts')).taskResponse(),
      });
    },
    'open-inference': async () =>
      (await import('./open-inference/routes.ts')).createOpenInferenceProtocol(options),
    'tensorflow-serving': async () => {
      const { createTensorFlowServingProtocol } = await import('./tensorflow-serving/routes.ts');
      return createTensorFlowServingProtocol(options, await v1());
    },
    kserve: async () => {
      const { createKServeProtocol } = await import('./kserve/routes.ts');
      return createKServeProtocol(options, await v1(), (await graphs()).operation(options));
    },
    sagemaker: async () => {
      const { createSageMakerProtocol } = await import('./sagemaker/routes.ts');
      return createSageMakerProtocol(options, await shared());
    },
    mlflow: async () => {
      const { createMlflowProtocol } = await import('./mlflow/routes.ts');
      return createMlflowProtocol(options, await shared());
    },
    'azure-ml': async () => (await import('./azure-ml/routes.ts')).createAzureMlProtocol(options),
    'hugging-face': async () => {
      const { createHuggingFaceProtocol } = await import('./hugging-face/routes.ts');
      return createHuggingFaceProtocol(options, await graphs());
    },
    ubiops: async () => (await import('./ubiops/routes.ts')).createUbiOpsProtocol(options),
    // Last, because it has routes that begin with the name of a model.
    torchserve: async () => {
      const { createTorchServeProtocol } = await import('./torchserve/routes.ts');
      return createTorchServeProtocol(options, await shared());
    },
  };
  const enabled: readonly string[] = ['metrics', 'catalog', ...options.config.protocols];
  return Object.entries(loaders)
    .filter(([name]) => enabled.includes(name))
    .map(([name, load]) => ({ routes: routesOf(name, options.config), load: loadOnce(load) }));
}

/** The formats of the routes that several servers share. */
const DIALECTS: Readonly<Record<DialectName, Dialect>> = {
  'open-inference': loading(async () => (await import('./open-inference/routes.ts')).invokeOpenInference),
  'tensorflow-serving': loading(async () => {
    const [{ createTensorFlowContainer }, { predict }, { classify, regress }] = await Promise.all([
      import('./sagemaker/tensorflow-container.ts'),
      import('./v1/routes.ts'),
      import('./tensorflow-serving/routes.ts'),
    ]);
    return createTensorFlowContainer({ predict, classify, regress });
  }),
  kserve: loading(async () => (await import('./v1/routes.ts')).predict),
  torchserve: loading(async () => (await import('./torchserve/routes.ts')).invokeTorchServe),
  sagemaker: loading(async () => (await import('./sagemaker/routes.ts')).invokeSageMaker),
  mlflow: loading(async () => (await import('./mlflow/routes.ts')).invokeMlflow),
  'vertex-ai': loading(async () => (await import('./vertex-ai/routes.ts')).invokeVertexAi),
  'azure-ml': loading(async () => (await import('./azure-ml/routes.ts')).invokeAzureMl),
  'hugging-face': loading(async () => (await import('./hugging-face/routes.ts')).invokeHuggingFace),
};

/** A dialect that is loaded with the first request in it. */
function loading(load: () => Promise<Dialect>): Dialect {
  let dialect: Dialect | undefined;
  return async (invocation, options) => {
    dialect ??= await load();
    return await dialect(invocation, options);
  };
}
