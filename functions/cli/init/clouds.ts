import { CommandError } from '../console.ts';

/** What a project needs for a cloud. */
interface Cloud {
  /** Optional peers of this package. */
  readonly packages: readonly string[];
  readonly scripts: Readonly<Record<string, string>>;
}

/** The clouds by the names that `ternion build` and the others know. */
const CLOUDS: ReadonlyMap<string, Cloud> = new Map([
  [
    'aws',
    {
      packages: ['aws-cdk', 'aws-cdk-lib', 'constructs'],
      scripts: {
        'build:aws': 'ternion build aws-arm64',
        'synth:aws': 'ternion synth aws',
        'deploy:aws': 'ternion deploy aws',
      },
    },
  ],
  ['gcp', { packages: ['@google-cloud/functions-framework'], scripts: packageScripts('gcp') }],
  ['azure', { packages: [], scripts: packageScripts('azure') }],
]);

function packageScripts(name: string): Cloud['scripts'] {
  return {
    [`build:${name}`]: `ternion build ${name}`,
    [`package:${name}`]: `ternion package ${name}`,
    [`deploy:${name}`]: `ternion package ${name} --deploy`,
  };
}

export interface NamedCloud extends Cloud {
  readonly name: string;
}

/**
 * Reads `--clouds`: names with commas between them.
 *
 * @returns each cloud once, in the order of the names above
 * @throws CommandError for a name that is not one of a cloud
 */
export function readClouds(text: string): readonly NamedCloud[] {
  const names = text.split(',').map((name) => name.trim().toLowerCase());
  const asked = new Set(names.filter((name) => name !== ''));
  const known = [...CLOUDS.keys()].join(', ');
  for (const name of asked) {
    if (CLOUDS.has(name)) continue;
    throw new CommandError(
      `--clouds ${JSON.stringify(name.slice(0, 100))} is not a known cloud; expected one or more of ${known}, with commas between them.`,
      2,
    );
  }
  return [...CLOUDS].flatMap(([name, cloud]) => (asked.has(name) ? [{ name, ...cloud }] : []));
}
