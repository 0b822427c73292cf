// Makes the template of the stack and prints what is in it: node infra/synth.ts [options of cdk synth]
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';

const args = process.argv.slice(2);
const cdk = join(import.meta.dirname, '../node_modules/aws-cdk/bin/cdk');
const { status } = spawnSync(process.execPath, [cdk, 'synth', '--quiet', ...args], {
  cwd: import.meta.dirname,
  stdio: 'inherit',
});
if (status === 0) console.log(describeTemplate(outputOf(args)));
else process.exitCode = status ?? 1;

/** The folder of the template: that of cdk.json, unless an option names another. */
function outputOf(options: readonly string[]): string {
  const at = options.findIndex((option) => option === '-o' || option === '--output');
  return resolve(import.meta.dirname, (at === -1 ? undefined : options[at + 1]) ?? 'cdk.out');
}

function describeTemplate(folder: string): string {
  const path = join(folder, 'Ternion.template.json');
  const template: { readonly Resources: Readonly<Record<string, { readonly Type: string }>> } = JSON.parse(
    readFileSync(path, 'utf8'),
  );
  const types = Object.values(template.Resources).map(({ Type }) => Type);
  const countOf = (type: string) => types.filter((each) => each === type).length;
  return [
    `The template of the stack is valid: ${relative(process.cwd(), path)}`,
    `  ${types.length} resources, including ${countOf('AWS::Lambda::Function')} functions, ${countOf('AWS::S3::Bucket')} buckets and ${countOf('AWS::CloudWatch::Alarm')} alarms`,
    'Nothing was deployed. To deploy the stack: npm run deploy:aws',
  ].join('\n');
}
