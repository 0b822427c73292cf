// Makes what a cloud's command line uploads, and prints the command; with --deploy it runs it.
// Usage: node infra/package.ts <gcp|azure> [--deploy]
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type DeploySettings, deployCommand, makePackage, PACKAGED_CLOUDS } from './build/deploy-command.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    deploy: { type: 'boolean', default: false },
    name: { type: 'string', default: 'ternion' },
    region: { type: 'string', default: 'europe-west1' },
    'resource-group': { type: 'string', default: 'ternion' },
    memory: { type: 'string', default: '2Gi' },
  },
});
const cloud = PACKAGED_CLOUDS.find((candidate) => candidate === positionals[0]);
if (!cloud) {
  console.error(`Usage: node infra/package.ts <${PACKAGED_CLOUDS.join('|')}> [--deploy]`);
  process.exit(1);
}

const settings: DeploySettings = {
  name: values.name,
  region: values.region,
  resourceGroup: values['resource-group'],
  memory: values.memory,
};
const upload = await makePackage(cloud, join(import.meta.dirname, '../dist'));
const command = deployCommand(cloud, upload, settings);
console.log(`made ${upload}`);
if (values.deploy) {
  const { status, error } = spawnSync(command.program, command.arguments, { stdio: 'inherit' });
  if (error) console.error(`${command.program} cannot be run (${error.message}); is it installed?`);
  process.exitCode = status ?? 1;
} else {
  console.log(`deploy it with:\n\n${[command.program, ...command.arguments].join(' ')}\n`);
}
