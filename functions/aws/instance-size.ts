/** Lambda gives one vCPU per 1,769 MB of memory, although the machine shows two at any size up to 3 GB. */
const MEGABYTES_PER_CPU = 1769;

/** The CPU and memory that Lambda gives a function, from the variables that it sets. */
export function readInstanceSize(environment: Readonly<Record<string, string | undefined>>) {
  const megabytes = Number(environment.AWS_LAMBDA_FUNCTION_MEMORY_SIZE ?? MEGABYTES_PER_CPU);
  return { cpus: megabytes / MEGABYTES_PER_CPU, memoryBytes: megabytes * 1024 * 1024 };
}
