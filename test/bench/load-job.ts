/** What the load generator is asked to do. */
export interface LoadJob {
  /** `http://127.0.0.1:port`, never another machine. */
  readonly origin: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly model: string;
  readonly streamed: boolean;
  /** Each sends its next call when the last answer is complete. */
  readonly connections: number;
  readonly warmupMs: number;
  readonly windowMs: number;
  /** Process trees whose CPU is charged to the calls. */
  readonly gatewayPids: readonly number[];
  /** The gateway's database, charged apart. */
  readonly databasePids: readonly number[];
}

export interface Percentiles {
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** What was seen during one window. */
export interface Measurement {
  readonly callsPerSecond: number;
  /** CPU seconds of the gateway per 1 000 calls. */
  readonly cpuSecondsPer1000: number;
  readonly databaseCpuSecondsPer1000: number;
  /** From sending a call to the end of its answer. */
  readonly call: Percentiles;
  /** From sending a call to its first token; streams only. */
  readonly firstToken: Percentiles | undefined;
  /** From the upstream's writing a token to our reading it; streams only. */
  readonly transit: Percentiles | undefined;
  /** From handing a charge to the ledger to its being in the log, by the server's own account; where the server gives one. */
  readonly chargeDurable: Percentiles | undefined;
  /** How often each thing went wrong. */
  readonly failures: Readonly<Record<string, number>>;
  /** Cores that work outside the benchmark kept busy meanwhile. */
  readonly foreignCores: number;
}
