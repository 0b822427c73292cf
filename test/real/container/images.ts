import { existsSync } from 'node:fs';
import { chmod, cp, mkdir, mkdtemp, readFile, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import * as z from 'zod';
import { PROJECT } from '../../support/project.ts';
import { AS_ROOT, type Output, run } from './commands.ts';

const configSchema = z.object({
  User: z.string(),
  Env: z.array(z.string()),
  Entrypoint: z.array(z.string()),
  WorkingDir: z.string(),
  ExposedPorts: z.record(z.string(), z.unknown()),
  Labels: z.record(z.string(), z.string()),
  Healthcheck: z.object({ Test: z.array(z.string()) }),
});

/** What an image says about how it is run, in the words of Docker. */
export type ImageConfig = z.infer<typeof configSchema>;

const imageSchema = z.object({
  Docker: z.object({ architecture: z.string(), config: configSchema }),
});

const layersSchema = z.object({ layers: z.array(z.object({ size: z.number() })) });
const indexSchema = z.object({ manifests: z.array(z.object({ digest: z.string() })) });

/** A processor, as Docker calls it. */
export type Cpu = 'amd64' | 'arm64';

/** The processor of this machine, and one on which nothing of an image can run here. */
export const [OWN, FOREIGN]: readonly [Cpu, Cpu] =
  process.arch === 'arm64' ? ['arm64', 'amd64'] : ['amd64', 'arm64'];

/** The images of this machine's buildah, in a folder of their own. */
export interface Images {
  /** Builds the image of the project's Dockerfile for a processor, as `<name>:<cpu>`. */
  build(cpu: Cpu): Promise<string>;
  inspect(name: string): Promise<{ readonly cpu: string; readonly config: ImageConfig }>;
  /** The sizes of its layers as a registry has them, in bytes. */
  layers(name: string): Promise<readonly number[]>;
  /** A folder with the files of an image, which stays as it is. */
  mount(name: string): Promise<string>;
  /** Removes all of them. */
  close(): Promise<void>;
}

/** The commands that must know whose images they may use. */
const WITH_POLICY = ['build', 'commit', 'from', 'push'];

/** What the Dockerfile is made from. */
const SLIM = 'docker.io/library/node:24.21.0-trixie-slim';
const CC = 'gcr.io/distroless/cc-debian13:nonroot';

const USERS =
  'root:x:0:0::/root:/bin/sh\nnode:x:1000:1000::/home/node:/bin/sh\nnonroot:x:65532:65532::/home/nonroot:/sbin/nologin\n';

/** The certificates of this machine, which may be behind a proxy of its own. */
const CERTIFICATES = '/etc/ssl/certs/ca-certificates.crt';

/**
 * Makes stand-ins for the images that ours is made from: a registry is not needed, and what Debian and npm have is in
 * them.
 *
 * @param installed the folder of the counterpart
 */
export async function openImages(installed: string): Promise<Images> {
  const folder = await mkdtemp(join(tmpdir(), 'ternion-images-'));
  const policy = join(folder, 'policy.json');
  const storage = join(folder, 'storage.conf');
  const registries = join(folder, 'registries.conf');
  await writeFile(policy, '{"default": [{"type": "insecureAcceptAnything"}]}');
  await writeFile(registries, '');
  await writeFile(
    storage,
    `[storage]\ndriver = "overlay"\nrunroot = "${folder}/run"\ngraphroot = "${folder}/graph"\n`,
  );
  const environment = { CONTAINERS_STORAGE_CONF: storage, CONTAINERS_REGISTRIES_CONF: registries };
  const program = join(installed, 'tools/usr/bin/buildah');
  const buildah = ([command = '', ...words]: readonly string[]): Promise<Output> => {
    const signatures = WITH_POLICY.includes(command) ? ['--signature-policy', policy] : [];
    return run([...AS_ROOT, program, command, ...signatures, ...words], environment);
  };
  const firstLine = async (words: readonly string[]) => (await buildah(words)).stdout.trim();

  /** Makes an image from the files below a folder. */
  const commit = async (cpu: Cpu, tree: string, variables: readonly string[] = []) => {
    const name = `localhost/${basename(tree)}`;
    const container = await firstLine(['from', '--arch', cpu, 'scratch']);
    await buildah(['add', '--quiet', container, tree, '/']);
    const settings = ['PATH=/usr/local/bin:/usr/bin:/bin', ...variables].flatMap((each) => ['--env', each]);
    await buildah(['config', '--arch', cpu, ...settings, container]);
    await buildah(['commit', '--quiet', '--rm', '--format', 'docker', container, name]);
    return name;
  };

  /** One name for the images of two processors, as registries have it. */
  const nameTogether = async (name: string, images: readonly string[]) => {
    await buildah(['manifest', 'create', name]);
    for (const image of images) await buildah(['manifest', 'add', name, `containers-storage:${image}`]);
  };

  const putNode = async (cpu: Cpu, tree: string) => {
    const node = join(installed, 'node_modules', `node-linux-${cpu === 'amd64' ? 'x64' : cpu}`);
    await mkdir(join(tree, 'usr/local/bin'), { recursive: true });
    await cp(join(node, 'bin/node'), join(tree, 'usr/local/bin/node'));
    await cp(join(node, 'LICENSE'), join(tree, 'usr/local/LICENSE'));
  };

  const slim = join(folder, 'slim');
  await cp(join(installed, 'slim'), slim, { recursive: true, verbatimSymlinks: true });
  await addUsers(slim);
  await putNode(OWN, slim);
  const npm = 'usr/local/lib/node_modules/npm';
  await cp(join(installed, 'node_modules/npm'), join(slim, npm), { recursive: true });
  await symlink(`/${npm}/bin/npm-cli.js`, join(slim, 'usr/local/bin/npm'));
  const cc = join(folder, 'cc');
  await cp(join(installed, 'cc'), cc, { recursive: true, verbatimSymlinks: true });
  await addUsers(cc);
  // Nothing of these is run, so they have no more than what is copied.
  const [foreignSlim, foreignCc] = [join(folder, 'foreign-slim'), join(folder, 'foreign-cc')];
  await putNode(FOREIGN, foreignSlim);
  await addUsers(foreignCc);
  const certificates = [`NODE_EXTRA_CA_CERTS=${CERTIFICATES}`, `npm_config_cafile=${CERTIFICATES}`];
  await nameTogether(SLIM, [await commit(OWN, slim, certificates), await commit(FOREIGN, foreignSlim)]);
  await nameTogether(CC, [await commit(OWN, cc), await commit(FOREIGN, foreignCc)]);
  return {
    build: async (cpu) => {
      const name = `localhost/ternion:${cpu}`;
      await buildah([
        ...['build', '--layers', '--pull-never', '--isolation', 'chroot', '--network', 'host'],
        // This version of buildah does not know it by itself.
        ...['--build-arg', `BUILDPLATFORM=linux/${OWN}`],
        ...['--format', 'docker', '--platform', `linux/${cpu}`, '--tag', name, PROJECT],
      ]);
      return name;
    },
    inspect: async (name) => {
      const { stdout } = await buildah(['inspect', '--type', 'image', name]);
      const { architecture, config } = imageSchema.parse(JSON.parse(stdout)).Docker;
      return { cpu: architecture, config };
    },
    layers: async (name) => {
      const layout = await mkdtemp(join(folder, 'layout-'));
      await buildah(['push', '--quiet', name, `oci:${layout}`]);
      const readJson = async (path: string): Promise<unknown> =>
        JSON.parse(await readFile(join(layout, path), 'utf8'));
      const { manifests } = indexSchema.parse(await readJson('index.json'));
      const digest = manifests[0]?.digest.replace(':', '/') ?? '';
      return layersSchema.parse(await readJson(`blobs/${digest}`)).layers.map(({ size }) => size);
    },
    mount: async (name) => await firstLine(['mount', await firstLine(['from', '--pull-never', name])]),
    close: async () => {
      await buildah(['umount', '--all']);
      await run([...AS_ROOT, 'rm', '-rf', folder]);
    },
  };
}

/** Users, certificates and a folder for temporary files. */
async function addUsers(tree: string): Promise<void> {
  await mkdir(join(tree, 'etc/ssl/certs'), { recursive: true });
  await writeFile(join(tree, 'etc/passwd'), USERS);
  await writeFile(join(tree, 'etc/group'), 'root:x:0:\nnode:x:1000:\nnonroot:x:65532:\n');
  if (existsSync(CERTIFICATES)) await cp(CERTIFICATES, join(tree, CERTIFICATES), { dereference: true });
  for (const each of ['tmp', 'root', 'home/nonroot']) await mkdir(join(tree, each), { recursive: true });
  // A file system that is mounted there gets this mode.
  await chmod(join(tree, 'tmp'), 0o1777);
}
