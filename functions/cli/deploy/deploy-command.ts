import { zipFolder } from './zip-folder.ts';

export const PACKAGED_CLOUDS = ['gcp', 'azure'] as const;

export type PackagedCloud = (typeof PACKAGED_CLOUDS)[number];

export interface DeploySettings {
  /** Name of the function or function app. */
  readonly name: string;
  /** Region of Google Cloud. */
  readonly region: string;
  /** Resource group of Azure, which holds the function app. */
  readonly resourceGroup: string;
  /** Memory of a Google Cloud instance. */
  readonly memory: string;
  /** Whether the container on Google Cloud runs Ternion's own server, and not the functions framework. */
  readonly hasServer: boolean;
}

export interface Command {
  readonly program: string;
  readonly arguments: string[];
}

/** Makes what is uploaded from a built target: the folder itself (gcp), or an archive beside it (azure). */
export async function makePackage(cloud: PackagedCloud, folder: string): Promise<string> {
  if (cloud === 'gcp') return folder;
  const archive = `${folder}.zip`;
  await zipFolder(folder, archive);
  return archive;
}

/** The command that deploys a package; the function is private on both clouds unless the caller opens it. */
export function deployCommand(cloud: PackagedCloud, upload: string, settings: DeploySettings): Command {
  if (cloud === 'gcp') {
    return {
      program: 'gcloud',
      arguments: [
        'run',
        'deploy',
        settings.name,
        `--source=${upload}`,
        ...(settings.hasServer ? [] : ['--function=ternion']),
        '--base-image=nodejs24',
        `--region=${settings.region}`,
        `--memory=${settings.memory}`,
        '--cpu=1',
        // A run blocks its thread: more requests at once would only wait inside the instance.
        '--concurrency=1',
        '--no-allow-unauthenticated',
        '--set-env-vars=NODE_ENV=production',
      ],
    };
  }
  return {
    program: 'az',
    arguments: [
      'functionapp',
      'deployment',
      'source',
      'config-zip',
      `--name=${settings.name}`,
      `--resource-group=${settings.resourceGroup}`,
      `--src=${upload}`,
      // The archive is complete: a build on the server would install packages over it.
      '--build-remote=false',
    ],
  };
}
