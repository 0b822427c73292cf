import { receiveDirectly } from '../direct-requests.ts';
import { openHost } from './open-host.ts';

const { answer } = await openHost(import.meta.dirname);

/** The function's entry point: deploy with `--function ternion`. */
export const ternion = answer;

receiveDirectly(ternion);
