import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makePublicTypes } from './public-types.ts';

// Writes the types of the npm package. Run it after a change of what the package exports. Usage: npm run generate:types
const project = join(import.meta.dirname, '../../..');
for (const [path, text] of await makePublicTypes(project)) writeFileSync(join(project, path), text);
