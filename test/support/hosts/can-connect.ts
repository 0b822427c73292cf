import { once } from 'node:events';
import { connect } from 'node:net';
import { networkInterfaces } from 'node:os';

const addresses = Object.values(networkInterfaces()).flatMap((each) => each ?? []);

/**
 * An address of this machine that `localhost` does not have: that of its network, or another one of the loopback, which
 * Linux has.
 */
export const OTHER_ADDRESS =
  addresses.find(({ family, internal }) => family === 'IPv4' && !internal)?.address ?? '127.0.0.2';

/** Whether a server listens on an address of this machine. */
export async function canConnect(port: number, host: string): Promise<boolean> {
  const socket = connect({ port, host, timeout: 5_000 });
  socket.once('timeout', () => socket.destroy(new Error('timeout')));
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
