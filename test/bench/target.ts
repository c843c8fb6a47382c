/** Something that answers chat completions, with the mock upstream behind it. */
export interface Target {
  readonly name: TargetName;
  /** `http://127.0.0.1:port`. */
  readonly origin: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Processes whose CPU (with that of their children) its calls are charged. */
  readonly gatewayPids: readonly number[];
  readonly databasePids: readonly number[];
  /** Its metrics page, where it has one that is read. */
  readonly metricsUrl?: string;
  stop(): Promise<void>;
}

export const TARGETS = ['direct', 'bare-proxy', 'oblivious-postgres', 'oblivious-embedded', 'portkey'] as const;
export type TargetName = (typeof TARGETS)[number];
