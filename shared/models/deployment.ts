import * as z from 'zod';
import { NAME_PATTERN } from '../config.ts';
import { parseJsonFile } from './formats/format-folder.ts';

/** The one file of a model that changes, beside its versions. */
export const DEPLOYMENT_FILE = 'deployment.json';

const name = z.string().regex(NAME_PATTERN, 'must be letters, digits, ".", "_" and "-"');

/** `deployment.json`: what operators decided about a model. Members of later versions are let through. */
const deploymentSchema = z.looseObject({
  /** Names for versions, such as `champion`, that can be moved without the clients knowing. */
  aliases: z.record(name, z.string().min(1)).default({}),
});

export type Deployment = z.infer<typeof deploymentSchema>;

/**
 * Reads the text of a `deployment.json`.
 *
 * @throws ModelError naming each field that is wrong
 */
export function parseDeployment(text: string): Deployment {
  return parseJsonFile(text, DEPLOYMENT_FILE, deploymentSchema);
}
