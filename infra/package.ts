// Makes the package that a cloud's command line uploads, and prints the command. With --deploy it also runs the
// command. Usage: node infra/package.ts <gcp|azure> [--models <folder>] [--deploy]
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type DeploySettings, deployCommand, makePackage, PACKAGED_CLOUDS } from './build/deploy-command.ts';
import { describeVersions } from './build/find-versions.ts';
import { type PackedModels, packModels, readPackedModels } from './build/package-models.ts';
import { checkNpm } from './settings-error.ts';

const USAGE = `Usage: npm run package:<${PACKAGED_CLOUDS.join('|')}> -- [options]

Makes the package that the cloud's command line uploads, and prints the command.

Options:
  --models <folder>        pack these models (default: the example models)
  --deploy                 run the command
  --name <name>            of the function (default: ternion)
  --region <region>        (default: europe-west1)
  --resource-group <name>  on Azure (default: ternion)
  --memory <size>          on Google Cloud (default: 2Gi)
  --server                 on Google Cloud: a service with Ternion's own server
                           instead of a function
  --help                   show this`;

try {
  checkNpm();
} catch (error) {
  fail(error instanceof Error ? error.message : String(error));
}
const { values, positionals } = readArguments();
if (values.help) {
  console.log(USAGE);
  process.exit(0);
}
const cloud = PACKAGED_CLOUDS.find((candidate) => candidate === positionals[0]);
if (!cloud || positionals.length > 1) {
  const surplus = cloud ? positionals[1] : positionals[0];
  fail(
    surplus === undefined
      ? 'The name of a cloud is missing.'
      : `Unexpected argument: ${JSON.stringify(surplus)}.`,
  );
}

const settings: DeploySettings = {
  name: values.name,
  region: values.region,
  resourceGroup: values['resource-group'],
  memory: values.memory,
  hasServer: values.server,
};
if (cloud !== 'gcp' && values.server) fail('Option --server is for Google Cloud only.');
const built = join(import.meta.dirname, '../dist', values.server ? `${cloud}-server` : cloud);
const { versions, bytes } =
  values.models === undefined ? readPackedModels(built) : pack(values.models, built);
console.log(`packed ${describeVersions(versions)} (${(bytes / 1e6).toFixed(1)} MB)`);
const upload = await makePackage(cloud, built);
const command = deployCommand(cloud, upload, settings);
console.log(`made ${upload}`);
if (values.deploy) {
  const { status, error } = spawnSync(command.program, command.arguments, { stdio: 'inherit' });
  if (error) console.error(`${command.program} cannot be run (${error.message}); is it installed?`);
  process.exitCode = status ?? 1;
} else {
  console.log(`deploy it with:\n\n${[command.program, ...command.arguments].join(' ')}\n`);
}

function readArguments() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        models: { type: 'string' },
        deploy: { type: 'boolean', default: false },
        name: { type: 'string', default: 'ternion' },
        region: { type: 'string', default: 'europe-west1' },
        'resource-group': { type: 'string', default: 'ternion' },
        memory: { type: 'string', default: '2Gi' },
        server: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    return fail(text.replace(/\. To specify.*/s, '.'));
  }
}

function pack(folder: string, target: string): PackedModels {
  try {
    return packModels(folder, target);
  } catch (error) {
    return fail(error instanceof Error ? error.message : String(error));
  }
}

function fail(problem: string): never {
  console.error(`${problem}\n\n${USAGE}`);
  process.exit(1);
}
