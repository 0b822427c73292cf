import { type JsonServer, startJsonServer } from './json-server.ts';

export interface FeastServer extends JsonServer {
  /** Rows by the JSON of the join keys, with names as in `customers__age`. */
  readonly rows: Map<string, Readonly<Record<string, unknown>>>;
  /** The features of each service, with names as in `customers__age`. */
  readonly services: Map<string, readonly string[]>;
}

/** Enough of the feature server of Feast for `POST /get-online-features`. Its real answers were the pattern. */
export async function startFeastServer(): Promise<FeastServer> {
  const rows = new Map<string, Readonly<Record<string, unknown>>>();
  const services = new Map<string, readonly string[]>();
  const server = await startJsonServer(({ path, json }) => {
    if (path !== '/get-online-features') return [404, { detail: 'Not Found' }];
    const entities: Readonly<Record<string, readonly unknown[]>> = json.entities;
    const joinKeys = Object.keys(entities);
    const count = entities[joinKeys[0] ?? '']?.length ?? 0;
    const named: readonly string[] =
      services.get(json.feature_service) ?? json.features.map((name: string) => name.replace(':', '__'));
    const known = new Set([...rows.values()].flatMap((row) => Object.keys(row)));
    const unknown = named.find((name) => !known.has(name));
    if (unknown !== undefined) {
      const message = `Feature view ${unknown.split('__')[0]} does not exist in project test`;
      return [404, JSON.stringify(JSON.stringify({ class: 'FeatureViewNotFoundException', message }))];
    }
    const found = Array.from({ length: count }, (_, index) =>
      rows.get(JSON.stringify(joinKeys.map((key) => entities[key]?.[index]))),
    );
    const results = named.map((name) => ({
      values: found.map((row) => row?.[name] ?? null),
      statuses: found.map((row) =>
        row === undefined ? 'NOT_FOUND' : name in row ? 'PRESENT' : 'NULL_VALUE',
      ),
      event_timestamps: found.map(() => '1970-01-01T00:00:00Z'),
    }));
    const own = joinKeys.map((key) => ({
      values: entities[key],
      statuses: found.map(() => 'PRESENT'),
      event_timestamps: found.map(() => '1970-01-01T00:00:00Z'),
    }));
    const shown = json.full_feature_names ? named : named.map((name) => name.split('__')[1]);
    return [200, { results: [...own, ...results], metadata: { feature_names: [...joinKeys, ...shown] } }];
  });
  return Object.assign(server, { rows, services });
}
