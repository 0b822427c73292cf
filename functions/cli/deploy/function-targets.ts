/** What is deployed to a cloud: a host for one platform. */
export interface FunctionTarget {
  /** As in `ternion build <name>`, such as `aws-arm64`. */
  readonly name: string;
  /** The folder of `functions/` that it is made from. */
  readonly host: string;
  /** `<os>-<cpu>`. */
  readonly platform: string;
}

/** All that can be built for a cloud, as the `target.json` of the hosts have it. */
export const FUNCTION_TARGETS: readonly FunctionTarget[] = [
  { name: 'aws-arm64', host: 'aws', platform: 'linux-arm64' },
  { name: 'aws-x64', host: 'aws', platform: 'linux-x64' },
  { name: 'gcp', host: 'gcp', platform: 'linux-x64' },
  { name: 'gcp-server', host: 'gcp-server', platform: 'linux-x64' },
  { name: 'azure', host: 'azure', platform: 'linux-x64' },
];

/** The archive of a host's bundle, for all its platforms, in the folder `functions` of a build or package. */
export function archiveOf(functions: string, host: string): string {
  return `${functions}/${host}.tar.gz`;
}
