import type { LogLevel } from '../../shared/config.ts';
import type { HostLog } from '../host.ts';

/** Names of `google.logging.type.LogSeverity`. */
const SEVERITIES: Readonly<Record<LogLevel, string>> = {
  debug: 'DEBUG',
  info: 'INFO',
  warn: 'WARNING',
  error: 'ERROR',
  silent: 'DEFAULT',
};

/**
 * The members by which Cloud Logging filters lines and groups those of a request. Source: Cloud Logging, structured
 * logging, special fields.
 */
export function createGoogleLog({
  GOOGLE_CLOUD_PROJECT: project,
}: Readonly<Record<string, string | undefined>>): HostLog {
  return {
    describe: (level, { trace_id: traceId, span_id: spanId }) => ({
      severity: SEVERITIES[level],
      ...(typeof traceId === 'string' && {
        'logging.googleapis.com/trace': project ? `projects/${project}/traces/${traceId}` : traceId,
        'logging.googleapis.com/spanId': spanId,
      }),
    }),
  };
}
