import type { TestHost } from './test-host.ts';

/** What a function app declared to the host about one function. */
interface Registration {
  readonly metadata: { readonly bindings: Readonly<Record<string, { readonly direction: string }>> };
  readonly handler: unknown;
}

/** Azure's library, as far as the worker uses it for a request. Source: its types of `@azure/functions-core`. */
interface ProgrammingModel {
  getInvocationModel(invocation: {
    readonly invocationId: string;
    readonly metadata: object;
    readonly request: object;
    readonly log: (level: string, category: string, message: string) => void;
  }): InvocationModel;
}

interface InvocationModel {
  getArguments(): Promise<{ readonly context: unknown; readonly inputs: readonly unknown[] }>;
  invokeFunction(context: unknown, inputs: readonly unknown[], handler: unknown): Promise<unknown>;
  getResponse(context: unknown, result: unknown): Promise<{ readonly returnValue?: RpcData | null }>;
}

/** The answer of an HTTP function in the messages between the host and its worker. */
interface RpcData {
  readonly http?: {
    readonly statusCode?: string;
    readonly headers?: Readonly<Record<string, string>>;
    readonly body?: { readonly bytes?: Uint8Array } | null;
  };
}

/**
 * Stands in for the worker of Azure Functions: it supplies the core module, with which an app registers its one
 * function and the library that translates requests for it.
 */
export function createAzureStandIn(): { readonly core: object; open(): TestHost } {
  const registrations: Registration[] = [];
  let model: ProgrammingModel | undefined;
  const core = {
    version: '1.0.0',
    hostVersion: '4.1045.0',
    setProgrammingModel: (given: ProgrammingModel) => {
      model = given;
    },
    registerHook: () => ({ dispose: () => undefined }),
    registerFunction: (metadata: Registration['metadata'], handler: unknown) => {
      registrations.push({ metadata, handler });
      return { dispose: () => undefined };
    },
    log: () => undefined,
  };
  return {
    core,
    open: () => {
      const [registration] = registrations;
      if (!model || !registration || registrations.length > 1)
        throw new Error(`${registrations.length} functions are registered`);
      return openFunction(model, registration);
    },
  };
}

function openFunction(model: ProgrammingModel, { metadata, handler }: Registration): TestHost {
  const [trigger] = Object.entries(metadata.bindings).find(([, { direction }]) => direction === 'in') ?? [];
  return {
    send: async ({ method, path, headers, body }) => {
      const http = {
        method,
        url: `http://localhost${path}`,
        headers: { ...headers },
        ...(body.length > 0 && { body: { bytes: body } }),
      };
      const invocation = model.getInvocationModel({
        invocationId: 'invocation-id',
        metadata,
        request: { inputData: [{ name: trigger, data: { http } }], triggerMetadata: {} },
        log: (_, category, message) => category === 'user' && console.error(message),
      });
      const { context, inputs } = await invocation.getArguments();
      const result = await invocation.invokeFunction(context, inputs, handler);
      const { returnValue } = await invocation.getResponse(context, result);
      const answer = returnValue?.http;
      if (answer?.statusCode === undefined) throw new Error('the function answered nothing');
      return {
        status: Number(answer.statusCode),
        headers: { ...answer.headers },
        body: method === 'HEAD' ? Buffer.alloc(0) : Buffer.from(answer.body?.bytes ?? []),
      };
    },
    close: () => Promise.resolve(),
  };
}
