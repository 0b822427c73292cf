/** Image types by how their base64 begins; the server looks at the bytes itself. */
const TYPES: readonly (readonly [string, string])[] = [
  ['iVBOR', 'png'],
  ['/9j/', 'jpeg'],
  ['UklGR', 'webp'],
  ['R0lGO', 'gif'],
];

/** The image of an example request as a file; undefined if it has no image. */
export function decodeExample(base64: unknown): File | undefined {
  if (typeof base64 !== 'string') return undefined;
  const [, type] = TYPES.find(([start]) => base64.startsWith(start)) ?? [];
  if (type === undefined) return undefined;
  const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  return new File([bytes], `example.${type}`, { type: `image/${type}` });
}
