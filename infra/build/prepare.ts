// Builds the command after npm has installed the project. npm also runs this script before it packs. It must not
// replace an existing build then, because a server may be running from it.
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

const { npm_command: command } = process.env;
if (command !== 'pack' && command !== 'publish') {
  const cwd = join(import.meta.dirname, '../..');
  execFileSync(process.execPath, ['esbuild.config.mjs', 'cli'], { cwd, stdio: 'inherit' });
}
