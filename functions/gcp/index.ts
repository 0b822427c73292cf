import { receiveDirectly } from '../direct-requests.ts';
import { openHost } from './open-host.ts';

const { answer } = await openHost(import.meta.dirname, {
  advice:
    'An instance of a function cannot be asked for its metrics: log-based metrics have them; docs/deploy-gcp.md shows their commands.',
});

/** The function's entry point: deploy with `--function ternion`. */
export const ternion = answer;

receiveDirectly(ternion);
