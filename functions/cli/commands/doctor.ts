import { existsSync } from 'node:fs';
import { access, constants, mkdir, readFile, stat, statfs } from 'node:fs/promises';
import { availableParallelism, homedir, totalmem } from 'node:os';
import { delimiter, join } from 'node:path';
import { loadRuntime } from '../../../shared/runtime/session.ts';
import { StoreError } from '../../../shared/stores/model-store.ts';
import type { Console } from '../console.ts';
import { CDK_PACKAGES, findInstalled, findMissing } from '../deploy/installed.ts';
import { openRepository } from '../open-repository.ts';
import { findConfig } from '../project/own-code.ts';
import { cacheFolder } from '../temporary-folder.ts';
import { alignColumns, countOf, formatBytes } from '../words.ts';

export interface DoctorOptions {
  readonly repository: string;
  readonly config?: string;
}

/** `missing` fails the command; `note` is something that only some uses need. */
type State = 'ok' | 'note' | 'missing';

interface Finding {
  readonly what: string;
  readonly state: State;
  /** What was found, or what to do. */
  readonly text: string;
}

/** `ternion doctor`: what this machine and this project have and lack. It asks nobody over the network. */
export async function doctor(options: DoctorOptions, output: Console): Promise<void> {
  const findings = [
    checkNode(),
    await checkRuntime(),
    await checkImages(),
    await checkProcessor(),
    checkMemory(),
    await checkCache(),
    await checkModels(options.repository),
    ...checkOwnCode(options.config),
    await checkOpenFiles(),
    await checkCredentials(),
    ...checkTools(),
  ];
  output.result(findings, () =>
    alignColumns(
      findings.map(({ what, state, text }) => [`  ${SIGNS[state]}`, what, text]),
      ['left', 'left', 'left'],
    ).join('\n'),
  );
  if (findings.some(({ state }) => state === 'missing')) process.exitCode = 1;
}

const SIGNS: Readonly<Record<State, string>> = { ok: 'ok', note: 'note', missing: 'MISSING' };

/** As `engines` of package.json has it. */
const OLDEST_NODE = [20, 16] as const;

function checkNode(): Finding {
  const { version } = process;
  const [major = 0, minor = 0] = version.slice(1).split('.').map(Number);
  const [oldest, least] = OLDEST_NODE;
  const isEnough = major > oldest || (major === oldest && minor >= least);
  return isEnough
    ? { what: 'Node', state: 'ok', text: version }
    : { what: 'Node', state: 'missing', text: `${version}; ${OLDEST_NODE.join('.')} or later is needed` };
}

async function checkRuntime(): Promise<Finding> {
  const what = 'ONNX Runtime';
  try {
    await loadRuntime();
    return { what, state: 'ok', text: `for ${process.platform}-${process.arch}` };
  } catch (error) {
    return { what, state: 'missing', text: reasonOf(error) };
  }
}

async function checkImages(): Promise<Finding> {
  const what = 'images';
  try {
    const { describeDecoder } = await import('../../../shared/processing/image/decode/image-file.ts');
    return { what, state: 'ok', text: `sharp with ${await describeDecoder()}` };
  } catch (error) {
    return { what, state: 'note', text: `only models for images need sharp: ${reasonOf(error)}` };
  }
}

function reasonOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return (text.trim().split('\n')[0] ?? '').slice(0, 200);
}

/** Instructions without which the runtime takes several times as long. */
const VECTORS = ['avx2', 'avx512f'];

async function checkProcessor(): Promise<Finding> {
  const what = 'processor';
  const count = countOf(availableParallelism(), 'core');
  const text = await readFile('/proc/cpuinfo', 'utf8').catch(() => '');
  const flags = (/^(?:flags|Features)\s*:(.*)$/m.exec(text)?.[1] ?? '').split(' ');
  const found = VECTORS.filter((name) => flags.includes(name));
  if (process.arch !== 'x64' || text === '') return { what, state: 'ok', text: `${count}, ${process.arch}` };
  return found.length > 0
    ? { what, state: 'ok', text: `${count}, ${found.join(', ')}` }
    : { what, state: 'note', text: `${count} without AVX2: runs take several times as long` };
}

const LEAST_MEMORY = 512 * 1024 ** 2;

function checkMemory(): Finding {
  const limit = process.constrainedMemory();
  const bytes = limit > 0 ? Math.min(limit, totalmem()) : totalmem();
  const text = `${formatBytes(bytes)}${limit > 0 && limit < totalmem() ? ', the limit of the container' : ''}`;
  return bytes >= LEAST_MEMORY
    ? { what: 'memory', state: 'ok', text }
    : { what: 'memory', state: 'note', text: `${text}; models with large images or texts need more` };
}

const LEAST_DISK = 1024 ** 3;

/** Models of a bucket are downloaded there. */
async function checkCache(): Promise<Finding> {
  const what = 'downloads';
  const folder = cacheFolder();
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await access(folder, constants.W_OK);
    const { bavail, bsize } = await statfs(folder);
    const text = `${folder}, ${formatBytes(bavail * bsize)} free`;
    return { what, state: bavail * bsize < LEAST_DISK ? 'note' : 'ok', text };
  } catch (error) {
    return { what, state: 'missing', text: `${folder} cannot be written: ${reasonOf(error)}` };
  }
}

async function checkModels(repository: string): Promise<Finding> {
  const what = 'models';
  if (repository.includes('://'))
    return { what, state: 'ok', text: `${repository}, which is not asked here` };
  try {
    const files = await openRepository(repository).list('');
    const names = new Set(files.map(({ path }) => path.split('/')[0]));
    return names.size > 0
      ? { what, state: 'ok', text: `${countOf(names.size, 'folder')} in ${repository}` }
      : { what, state: 'note', text: `none in ${repository} yet: npx ternion add <model.onnx or folder>` };
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    return {
      what,
      state: 'note',
      text: `there is no folder ${repository} yet: npx ternion add <model.onnx or folder>`,
    };
  }
}

function checkOwnCode(config: string | undefined): readonly Finding[] {
  const path = findConfig(config);
  if (path === undefined) return [];
  const what = 'own code';
  return [
    findInstalled('esbuild')
      ? { what, state: 'ok', text: path }
      : { what, state: 'missing', text: `${path} needs esbuild: npm install --save-dev esbuild` },
  ];
}

const LEAST_OPEN_FILES = 1024;

async function checkOpenFiles(): Promise<Finding> {
  const what = 'open files';
  const text = await readFile('/proc/self/limits', 'utf8').catch(() => '');
  const limit = /^Max open files\s+(\d+|unlimited)/m.exec(text)?.[1];
  if (limit === undefined) return { what, state: 'ok', text: 'unknown on this system' };
  const isEnough = limit === 'unlimited' || Number(limit) >= LEAST_OPEN_FILES;
  return isEnough
    ? { what, state: 'ok', text: `up to ${limit}` }
    : { what, state: 'note', text: `up to ${limit}, so few connections at a time: ulimit -n 4096` };
}

/** Where each cloud's tools look; whether the credentials are valid is not asked. */
async function checkCredentials(): Promise<Finding> {
  const { env } = process;
  const has = async (path: string) => (await stat(path).catch(() => undefined)) !== undefined;
  const home = homedir();
  const found = [
    ...((env.AWS_ACCESS_KEY_ID ?? env.AWS_PROFILE) || (await has(join(home, '.aws'))) ? ['AWS'] : []),
    ...(env.GOOGLE_APPLICATION_CREDENTIALS || (await has(join(home, '.config/gcloud')))
      ? ['Google Cloud']
      : []),
    ...(env.AZURE_CLIENT_ID || (await has(join(home, '.azure'))) ? ['Azure'] : []),
  ];
  const region = env.AWS_REGION ?? env.AWS_DEFAULT_REGION;
  const isHalf = found.includes('AWS') && region === undefined && !(await has(join(home, '.aws/config')));
  const text = found.length > 0 ? found.join(', ') : 'none, which only deployments and buckets need';
  return isHalf
    ? { what: 'credentials', state: 'note', text: `${text}; AWS has no region: set AWS_REGION` }
    : { what: 'credentials', state: found.length > 0 ? 'ok' : 'note', text };
}

/** The programs that upload what `ternion package` makes. */
const PROGRAMS: readonly (readonly [name: string, cloud: string])[] = [
  ['gcloud', 'Google Cloud'],
  ['az', 'Azure'],
];

/** What only deployments need. */
function checkTools(): readonly Finding[] {
  const missing = findMissing(CDK_PACKAGES);
  const cdk: Finding =
    missing.length === 0
      ? { what: 'CDK', state: 'ok', text: 'for the stack on AWS' }
      : {
          what: 'CDK',
          state: 'note',
          text: `only the stack on AWS needs it: npm install --save-dev ${missing.join(' ')}`,
        };
  const programs = PROGRAMS.map(
    ([name, cloud]): Finding =>
      isProgram(name)
        ? { what: name, state: 'ok', text: `for ${cloud}` }
        : { what: name, state: 'note', text: `only a deployment to ${cloud} needs it` },
  );
  return [cdk, ...programs];
}

function isProgram(name: string): boolean {
  const folders = (process.env.PATH ?? '').split(delimiter);
  const endings = process.platform === 'win32' ? ['.cmd', '.exe'] : [''];
  return folders.some((folder) => endings.some((ending) => existsSync(join(folder, name + ending))));
}
