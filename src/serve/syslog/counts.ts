/** Why a syslog message is not counted. A closed set. */
export type SyslogDrop = 'too_long' | 'not_allowed' | 'overloaded' | 'journal_full' | 'failed';

/** What has happened since the start, for /metrics. */
export class SyslogCounts {
  readonly messages = { udp: 0, tcp: 0 };
  readonly dropped = new Map<SyslogDrop, number>();
  connections = 0;

  drop(reason: SyslogDrop, count = 1): void {
    if (count > 0) this.dropped.set(reason, (this.dropped.get(reason) ?? 0) + count);
  }
}
