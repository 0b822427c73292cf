import { createContext, createHost, type HostOptions, requestUrl } from '../../../../functions/host.ts';
import { BytesRequest } from '../../../../shared/http/bytes.ts';
import { openFilesystemStore } from '../../../../shared/stores/filesystem.ts';
import { get, post } from '../../../contracts/exchanges.ts';
import { TEST_ENVIRONMENT } from '../../../support/hosts/environment.ts';
import { PAGES } from '../../../support/project.ts';

export interface Setup extends Pick<HostOptions, 'own'> {
  /** The address of the collector; undefined for none. */
  readonly url?: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly isFrozen?: boolean;
}

/** A host in this process that sends what the variables ask for, with the lines of its log. */
export async function openOtlpHost({ url, environment = {}, isFrozen = true, own }: Setup) {
  const lines: Record<string, unknown>[] = [];
  const host = createHost({
    environment: {
      ...TEST_ENVIRONMENT,
      LOG_LEVEL: 'warn',
      ...(url !== undefined && { OTEL_EXPORTER_OTLP_ENDPOINT: url }),
      ...environment,
    },
    modelRepository: TEST_ENVIRONMENT.MODEL_REPOSITORY,
    pagesFolder: PAGES,
    stores: { file: openFilesystemStore },
    isFrozen,
    own,
    log: () => ({ write: (line) => void lines.push(JSON.parse(line)) }),
  });
  await host.app.preload();
  /** Without a body it is a GET. */
  const send = async (
    body: object | undefined,
    headers: Readonly<Record<string, string>> = {},
    path = '/models/iris/predict',
  ) => {
    const { method, path: target, body: content } = body === undefined ? get(path) : post(path, body);
    const request = new BytesRequest(
      requestUrl(target),
      { method, headers: new Headers({ 'content-type': 'application/json', ...headers }) },
      content,
    );
    const context = createContext(request.headers, undefined);
    const response = await host.app.fetch(request, context);
    await host.runWaitingWork(context);
    return { status: response.status, requestId: context.requestId };
  };
  return { send, lines, close: () => host.app.close() };
}

/** A request to the flower model. */
export const FEATURES = { features: [5.1, 3.5, 1.4, 0.2] };
export const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
/** The headers of a caller that records its trace. */
export const PARENT = { traceparent: `00-${TRACE}-00f067aa0ba902b7-01`, tracestate: 'a=1' };
