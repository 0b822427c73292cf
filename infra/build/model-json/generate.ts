import { writeFileSync } from 'node:fs';
import { makeModelJsonFiles } from './model-json-files.ts';

// Writes docs/model.schema.json and the tables of docs/model-json.md. Run it after a change of the members of
// model.json. Usage: npm run generate:schema
for (const [path, text] of await makeModelJsonFiles()) writeFileSync(path, text);
