import * as z from 'zod/mini';
import { DEPLOYMENT_FILE, parseJsonFile } from './formats/format-folder.ts';
import { nameSchema } from './serving.ts';

/**
 * `deployment.json`: what operators decided about a model. Unknown members are allowed, as later releases may add some.
 */
const deploymentSchema = z.looseObject({
  /** Names for versions, such as `champion`, that can be moved to another version without any change to clients. */
  aliases: z._default(z.record(nameSchema, z.string().check(z.minLength(1))), {}),
});

export type Deployment = z.infer<typeof deploymentSchema>;

/**
 * Reads the text of a `deployment.json`.
 *
 * @throws ModelError naming each field that is wrong
 */
export async function parseDeployment(text: string): Promise<Deployment> {
  return await parseJsonFile(text, DEPLOYMENT_FILE, deploymentSchema);
}
