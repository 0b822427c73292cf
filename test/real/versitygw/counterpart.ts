import { join } from 'node:path';
import type { Counterpart } from '../counterpart.ts';
import { withGo } from '../go.ts';
import { counterpart as prometheus } from '../prometheus/counterpart.ts';

/** The S3 server of compose.yaml, which checks signatures and checksums. Its version is that of the image there. */
export const counterpart: Counterpart = {
  name: 'versitygw',
  pin: 'versitygw 1.8.0',
  needs: [prometheus],
  install: (folder) => withGo(folder, 'install', 'github.com/versity/versitygw/cmd/versitygw@v1.8.0'),
};

export function programOf(folder: string): string {
  return join(folder, 'versitygw');
}
