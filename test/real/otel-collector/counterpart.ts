import { join } from 'node:path';
import type { Counterpart } from '../counterpart.ts';
import { withGo } from '../go.ts';

const VERSION = 'v0.161.0';
const CORE = 'go.opentelemetry.io/collector';
const CONTRIB = 'github.com/open-telemetry/opentelemetry-collector-contrib';

/** What the collector is built of: OTLP in, lines of JSON in a file out, and its settings from a variable. */
const MANIFEST = {
  dist: { name: 'collector', output_path: './build', version: VERSION },
  receivers: [{ gomod: `${CORE}/receiver/otlpreceiver ${VERSION}` }],
  exporters: [{ gomod: `${CONTRIB}/exporter/fileexporter ${VERSION}` }],
  providers: [{ gomod: `${CORE}/confmap/provider/envprovider v1.67.0` }],
};

/** The collector of OpenTelemetry with the parts that the tests need. Go builds it, so it is not on the path. */
export const counterpart: Counterpart = {
  name: 'otel-collector',
  pin: `OpenTelemetry Collector ${VERSION}`,
  install: (folder) => [
    // YAML reads JSON as well.
    ['sh', '-c', `printf '%s' '${JSON.stringify(MANIFEST)}' > manifest.yaml`],
    ...withGo(folder, 'run', `${CORE}/cmd/builder@${VERSION}`, '--config=manifest.yaml'),
  ],
};

/** The program that was built. */
export function programOf(folder: string): string {
  return join(folder, 'build/collector');
}
