import aws from '../../aws/target.json' with { type: 'json' };
import azure from '../../azure/target.json' with { type: 'json' };
import gcp from '../../gcp/target.json' with { type: 'json' };
import gcpServer from '../../gcp-server/target.json' with { type: 'json' };

/** What is deployed to a cloud: a host for one platform. */
export interface FunctionTarget {
  /** As in `ternion build <name>`, such as `aws-arm64`. */
  readonly name: string;
  /** The folder of `functions/` that it is made from. */
  readonly host: string;
  /** `<os>-<cpu>`. */
  readonly platform: string;
}

const HOSTS: Readonly<Record<string, { readonly platforms: readonly string[] }>> = {
  aws,
  gcp,
  'gcp-server': gcpServer,
  azure,
};

/** All that can be built for a cloud. */
export const FUNCTION_TARGETS: readonly FunctionTarget[] = Object.entries(HOSTS).flatMap(
  ([host, { platforms }]) =>
    platforms.map((platform) => ({ name: targetName(host, platform, platforms), host, platform })),
);

/** The name of a target: that of its host, with the processor if there are several. */
export function targetName(host: string, platform: string, platforms: readonly string[]): string {
  return platforms.length > 1 ? `${host}-${platform.split('-')[1] ?? platform}` : host;
}

/** The archive of a host's bundle, for all its platforms, in the folder `functions` of a build or package. */
export function archiveOf(functions: string, host: string): string {
  return `${functions}/${host}.tar.gz`;
}
