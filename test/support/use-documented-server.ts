import { afterAll, beforeAll } from 'vitest';
import {
  type DocumentedShell,
  type LocalServer,
  openDocumentedShell,
  startAsDocumented,
} from './documented-commands.ts';

/** The server that pages with commands are about, and a shell for them, while the tests of a block run. */
export function useDocumentedServer(): { readonly server: LocalServer; readonly shell: DocumentedShell } {
  const opened: { server?: LocalServer; shell?: DocumentedShell } = {};
  beforeAll(async () => {
    opened.server = await startAsDocumented();
    opened.shell = await openDocumentedShell(opened.server.port);
  });
  afterAll(async () => {
    await opened.server?.stop();
    await opened.shell?.close();
  });
  return {
    get server() {
      if (!opened.server) throw new Error('the server is not running yet');
      return opened.server;
    },
    get shell() {
      if (!opened.shell) throw new Error('the shell is not open yet');
      return opened.shell;
    },
  };
}
