/** Why something that was sent is not counted. A closed set: every refusal is counted by one of these. */
export const refusals = [
  'trace_id_invalid',
  'span_id_invalid',
  'parent_id_invalid',
  'time_invalid',
  'duration_too_long',
  'value_invalid',
  'metric_type_unsupported',
  'line_malformed',
  'line_too_long',
  'header_missing',
  'record_other',
  'tenant_unknown',
] as const;

export type Refusal = (typeof refusals)[number];

/** How many were refused, by reason. */
export class RefusalCount {
  readonly byReason = new Map<Refusal, number>();

  add(reason: Refusal, count = 1): void {
    this.byReason.set(reason, (this.byReason.get(reason) ?? 0) + count);
  }

  get total(): number {
    let total = 0;
    for (const count of this.byReason.values()) total += count;
    return total;
  }

  /** `2 span_id_invalid, 1 time_invalid`; empty when nothing was refused. */
  toString(): string {
    return [...this.byReason].map(([reason, count]) => `${count} ${reason}`).join(', ');
  }
}
