import { bodyOf, readRecorded } from './recorded.ts';
import type { TestRequest } from './test-host.ts';

/** The requests of a client as it sent them, by what was called. */
export function readRecording(client: string): (call: string) => TestRequest {
  const requests = readRecorded(client);
  return (call) => {
    const recorded = requests.find((each) => each.call === call);
    if (!recorded) throw new Error(`${client} has not recorded "${call}"`);
    const { method, path, headers } = recorded;
    return { method, path, headers, body: bodyOf(recorded) };
  };
}
