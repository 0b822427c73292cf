/** Installs packages of npm into the folder of a counterpart, without running their scripts. */
export function npmInstall(folder: string, ...packages: readonly string[]): readonly [string, ...string[]] {
  return ['npm', 'install', '--no-audit', '--no-fund', '--ignore-scripts', `--prefix=${folder}`, ...packages];
}
