import type { Inference } from '../../../shared/inference/inference.ts';
import type { ModelListing } from '../../../shared/models/model-reference.ts';
import { curlCommand } from '../../curl-command.ts';
import { describeFailure } from '../console.ts';

/** With more models only the first is shown: each is loaded to know its example. */
const MOST_MODELS = 3;
/** Longest command that is worth its place in a terminal. */
const LONGEST = 1000;

/** How models are called, each with one line; a model that cannot be loaded has the reason there. */
export async function describeCalls(
  inference: Inference,
  models: readonly ModelListing[],
  url: string,
): Promise<readonly string[]> {
  const shown = models.slice(0, models.length > MOST_MODELS ? 1 : MOST_MODELS);
  const lines: string[] = [];
  for (const { name, liveVersion: version } of shown) {
    try {
      const reference = { name, version };
      const { value: example } = await inference.use({ reference }, {}, ({ model }) => model.example);
      const command = example && curlCommand(url, name, example);
      if (command !== undefined && command.length <= LONGEST) lines.push(`  ${command}`);
    } catch (error) {
      lines.push(`  ${name}: ${describeFailure(error).text}`);
    }
  }
  return lines;
}
