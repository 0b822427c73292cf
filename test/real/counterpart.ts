/** Software in another language that Ternion's own code is compared with. Each has a folder next to this file. */
export interface Counterpart {
  /** As in `npm run test:real -- <name>`; the name of its folder. */
  readonly name: string;
  /** What exactly is installed, such as `moto 5.2.5`. Another pin is another installation. */
  readonly pin: string;
  /** Others that its tests use as well. */
  readonly needs?: readonly Counterpart[];
  /** It does not fit into 20 minutes with the others, so it runs with `--heavy` or by its name alone. */
  readonly isHeavy?: boolean;
  /**
   * The commands that fill an empty folder, one after the other. They depend only on their own text, which
   * is a part of the key of the installation.
   */
  readonly install: (folder: string) => readonly (readonly [command: string, ...args: string[]])[];
}

/** A counterpart that listens. */
export interface ServerCounterpart extends Counterpart {
  /** The command that listens on a port of 127.0.0.1, for the folder of its installation. */
  readonly start: (folder: string, port: number) => readonly [command: string, ...args: string[]];
  readonly environment?: Readonly<Record<string, string>>;
}
