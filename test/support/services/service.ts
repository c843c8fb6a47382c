/** What a service is given to run with. */
export interface Place {
  /** Its own folder, which exists. */
  readonly folder: string;
  /** The ports that it was given, as many as it asked for. */
  readonly ports: readonly number[];
}

/** How its process is started. */
export interface Command {
  readonly file: string;
  readonly args: readonly string[];
  /** Its service's folder unless given. */
  readonly cwd?: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly uid?: number;
  readonly gid?: number;
}

/** A port, and the variable that chooses another one. */
export interface PortChoice {
  readonly variable: string;
  readonly usual: number;
  /** The variable has been looked at. */
  readonly decided?: boolean;
}

/** A server that is started once and stays until it is stopped, as data. */
export interface Service {
  /** Also the name of its folder. */
  readonly name: string;
  /** For people. */
  readonly title: string;
  readonly ports: readonly PortChoice[];
  /** Makes ready what the process needs and says how to start it. */
  prepare(place: Place): Command | Promise<Command>;
  /** Asks whether it serves; throws while it does not. */
  check(place: Place): Promise<void>;
  /** What ends it in good order. */
  readonly stopSignal: NodeJS.Signals;
}
