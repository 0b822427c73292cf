import * as z from 'zod';

const byte = z.number().int().min(0).max(255);

/** A colour in the order of the image's channels, or one value for all of them. */
export const colourOption = z.union(
  [byte, z.tuple([byte, byte, byte])],
  'must be a whole number from 0 to 255, or three of them',
);

export type Colour = z.infer<typeof colourOption>;

/** The colour for an image of so many channels; alpha is opaque. */
export function fillColour(colour: Colour, channels: number): number[] {
  const colours = channels === 2 || channels === 4 ? channels - 1 : channels;
  const values =
    typeof colour === 'number' ? new Array<number>(colours).fill(colour) : colour.slice(0, colours);
  return colours === channels ? values : [...values, 255];
}
