/** Something came later than it should have. On a machine that does not let this process run in time, that shows nothing. */
export class TooLate extends Error {
  /** In which time it should have come. */
  readonly boundMs: number;

  constructor(message: string, boundMs: number, options?: ErrorOptions) {
    super(message, options);
    this.boundMs = boundMs;
  }
}
