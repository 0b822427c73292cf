import { join } from 'node:path';
import type { Counterpart } from '../counterpart.ts';

/** Prometheus as Debian has it, with promtool. The package is unpacked, not installed, so nobody has to be root. */
export const counterpart: Counterpart = {
  name: 'prometheus',
  pin: 'prometheus of Debian 12',
  install: (folder) => [
    // A fresh machine has no lists of packages, and without root it cannot get them.
    ['sh', '-c', 'apt-get update -qq || true; apt-get download -qq prometheus'],
    ['sh', '-c', `for package in *.deb; do dpkg -x "$package" "${folder}" || exit 1; done`],
  ],
};

/** A program of the package: `prometheus` or `promtool`. */
export function programOf(folder: string, name: 'prometheus' | 'promtool'): string {
  return join(folder, 'usr/bin', name);
}
