/** Why a request was not sent. */
export type PoliteReason = 'vendor_quota' | 'own_quota' | 'spend_cap' | 'circuit_open';

/** A request that was not sent, so that it has no answer and costs nothing. */
export class PoliteRefusal extends Error {
  override readonly name = 'PoliteRefusal';
  readonly reason: PoliteReason;
  /** When it may be tried again, in milliseconds since 1970; null where that is not known. */
  readonly retryAtMs: number | null;

  constructor(reason: PoliteReason, host: string, retryAtMs: number | null) {
    super(`not sent to ${host}: ${reason}`);
    this.reason = reason;
    this.retryAtMs = retryAtMs;
  }
}
