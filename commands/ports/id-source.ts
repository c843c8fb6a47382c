/** Where new ids come from: bodies are unique, unguessable, and sort roughly by time of making. */
export interface IdSource {
  /** An id with this prefix, such as `usr`. The caller parses it into its branded type. */
  next(prefix: string): string;
}
