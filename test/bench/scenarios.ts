import type { Scenario } from './scenario.ts';
import { attacks } from './scenarios/attacks.ts';
import { batch } from './scenarios/batch.ts';
import { handler } from './scenarios/handler.ts';
import { health } from './scenarios/health.ts';
import { images } from './scenarios/images.ts';
import { iris } from './scenarios/iris.ts';
import { load } from './scenarios/load.ts';
import { log } from './scenarios/log.ts';
import { memory } from './scenarios/memory.ts';
import { mixed } from './scenarios/mixed.ts';
import { preprocessing } from './scenarios/preprocessing.ts';
import { shadows } from './scenarios/shadows.ts';
import { start } from './scenarios/start.ts';
import { tensors } from './scenarios/tensors.ts';
import { texts } from './scenarios/texts.ts';

/** All scenarios, in the order of the page. */
export const SCENARIOS: readonly Scenario[] = [
  iris,
  log,
  mixed,
  shadows,
  handler,
  tensors,
  images,
  texts,
  health,
  start,
  load,
  batch,
  memory,
  attacks,
  preprocessing,
];
