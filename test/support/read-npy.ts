import { type ArrayOptions, openNpy } from '../../shared/tensor/npy.ts';
import type { Tensor } from '../../shared/tensor/tensor.ts';

/** An array in NumPy's format, read at once: the server looks at its shape first. */
export function readNpy(bytes: Uint8Array, options: ArrayOptions): Tensor {
  return openNpy(bytes, options).read();
}
