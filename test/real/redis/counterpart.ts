import type { ServerCounterpart } from '../counterpart.ts';

/**
 * The packages of Debian that the server consists of, and those that it needs and a small system does not have. They
 * are unpacked, not installed, so nobody has to be root.
 */
const PACKAGES = ['redis-server', 'redis-tools', 'libjemalloc2', 'liblzf1', 'libatomic1', 'libssl3'];

/** Redis as Debian has it. */
export const counterpart: ServerCounterpart = {
  name: 'redis',
  pin: 'redis-server of Debian 12',
  install: (folder) => [
    // A fresh machine has no lists of packages, and without root it cannot get them.
    ['sh', '-c', `apt-get update -qq || true; apt-get download -qq ${PACKAGES.join(' ')}`],
    ['sh', '-c', `for package in *.deb; do dpkg -x "$package" "${folder}" || exit 1; done`],
  ],
  start: (folder, port) => startRedis(folder, ['--port', String(port)]),
};

/** The command of a server that keeps nothing on disk, with more settings. */
export function startRedis(
  folder: string,
  settings: readonly string[],
): readonly [command: string, ...args: string[]] {
  const script =
    'folder=$1; shift; export LD_LIBRARY_PATH=$(echo "$folder"/usr/lib/*-linux-gnu); exec "$folder/usr/bin/redis-server" "$@"';
  return ['sh', '-c', script, 'redis', folder, '--bind', '127.0.0.1', '--save', '', ...settings];
}
