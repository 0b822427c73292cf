import type { Counterpart } from '../counterpart.ts';

/** Prometheus as Debian has it, with the tool that tests rules. It is unpacked, so nobody has to be root. */
export const counterpart: Counterpart = {
  name: 'promtool',
  pin: 'promtool of Debian 12',
  install: (folder) => [
    ['sh', '-c', 'apt-get update -qq || true; apt-get download -qq prometheus'],
    ['sh', '-c', `dpkg -x prometheus_*.deb "${folder}" && rm prometheus_*.deb`],
  ],
};
