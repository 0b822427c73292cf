/** Calls functions of C libraries. */
export interface ForeignFunctions {
  /** @param library null for those that the process has loaded */
  load(library: null): { func(declaration: string): (argument: number) => number };
}

/**
 * The addon of koffi, from the package for this platform. The package `koffi` would bring the addons of all platforms,
 * and a script that runs when it is installed. Bundles have the addon beside them, see infra/build/native-plugin.ts.
 */
export async function loadForeignFunctions(): Promise<ForeignFunctions> {
  const { default: addon }: { default: unknown } = await import(`@koromix/koffi-linux-${process.arch}`);
  if (!isForeignFunctions(addon))
    throw new Error('the addon of koffi is not the one that this code was written for');
  return addon;
}

function isForeignFunctions(value: unknown): value is ForeignFunctions {
  return typeof value === 'object' && value !== null && 'load' in value && typeof value.load === 'function';
}
