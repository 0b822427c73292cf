import * as z from 'zod/mini';
import { NAME_PATTERN } from '../config.ts';
import { parseJsonFile } from './formats/format-folder.ts';

/** The only file of a model that may change; it is next to the folders of its versions. */
export const DEPLOYMENT_FILE = 'deployment.json';

const name = z.string().check(z.regex(NAME_PATTERN, 'must consist of letters, digits, ".", "_" and "-"'));

/**
 * `deployment.json`: what operators decided about a model. Unknown members are allowed, as later releases may add some.
 */
const deploymentSchema = z.looseObject({
  /** Names for versions, such as `champion`, that can be moved to another version without any change to clients. */
  aliases: z._default(z.record(name, z.string().check(z.minLength(1))), {}),
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
