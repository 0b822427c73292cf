import { describe, expect, it } from 'vitest';
import { createGoogleLog } from '../../../functions/gcp/log.ts';
import { createLogger } from '../../../shared/monitoring/logger.ts';

/** The line that a logger of Google Cloud writes. */
function lineOf(environment: Record<string, string>, level: 'info' | 'warn' | 'error', fields = {}) {
  const lines: string[] = [];
  const { describe: describeLine } = createGoogleLog(environment);
  createLogger('debug', (line) => lines.push(line), undefined, describeLine).log(level, 'm', fields);
  return JSON.parse(lines[0] ?? '');
}

describe('a line on Google Cloud', () => {
  it.each([
    ['info', 'INFO'],
    ['warn', 'WARNING'],
    ['error', 'ERROR'],
  ] as const)('of the level %s has the severity %s', (level, severity) => {
    expect(lineOf({}, level)).toMatchObject({ level, severity, message: 'm' });
  });

  it('belongs to the trace of its request', () => {
    const fields = { trace_id: 'a'.repeat(32), span_id: 'b'.repeat(16) };
    expect(lineOf({ GOOGLE_CLOUD_PROJECT: 'p' }, 'info', fields)).toMatchObject({
      'logging.googleapis.com/trace': `projects/p/traces/${fields.trace_id}`,
      'logging.googleapis.com/spanId': fields.span_id,
    });
    expect(lineOf({}, 'info', fields)).toMatchObject({ 'logging.googleapis.com/trace': fields.trace_id });
    expect(lineOf({}, 'info')).not.toHaveProperty('logging.googleapis.com/trace');
  });
});
