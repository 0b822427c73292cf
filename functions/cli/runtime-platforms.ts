/** The platforms that ONNX Runtime has libraries for, as `<os>-<cpu>`; each one is a package of its own. */
export const RUNTIME_PLATFORMS: readonly string[] = ['linux-x64', 'linux-arm64', 'darwin-arm64', 'win32-x64'];

export function runtimePackage(platform: string): string {
  return `@ternion/runtime-${platform}`;
}
