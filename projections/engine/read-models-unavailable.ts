/** The database of the read models cannot be used at the moment: a reason to wait and try again, never to park an event. */
export class ReadModelsUnavailable extends Error {
  constructor(cause: unknown) {
    super(cause instanceof Error ? cause.message : String(cause), { cause });
    this.name = 'ReadModelsUnavailable';
  }
}
