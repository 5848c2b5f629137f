import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import type { House } from './house.ts';

/** The figures behind /metrics, read from the collector when they are asked for. */
export function metricsOf(house: House): Registry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const { collector } = house;
  const counted = (name: string, help: string, read: () => number) =>
    new Counter({
      name,
      help,
      registers: [registry],
      collect() {
        this.reset();
        this.inc(read());
      },
    });
  counted('taximeter_spans_accepted_total', 'Spans that are safe on the disk.', () => collector.counts.spans);
  counted(
    'taximeter_samples_accepted_total',
    'Metric points that are safe on the disk.',
    () => collector.counts.samples,
  );
  counted('taximeter_events_accepted_total', 'Events that are safe on the disk.', () => collector.counts.events);
  counted(
    'taximeter_log_lines_accepted_total',
    'Log lines and log records that are calls and safe on the disk.',
    () => collector.counts.lines,
  );
  counted(
    'taximeter_rows_loaded_total',
    'Journal rows that have reached the store.',
    () => collector.counts.loadedRows,
  );
  counted(
    'taximeter_endpoint_overflow_total',
    'Calls counted at the endpoint `other` because their tenant has too many endpoints.',
    () => collector.overflowedEndpoints,
  );
  new Counter({
    name: 'taximeter_refused_total',
    help: 'What was sent and is not counted, by reason.',
    labelNames: ['reason'],
    registers: [registry],
    collect() {
      this.reset();
      for (const [reason, count] of collector.counts.refused.byReason) this.inc({ reason }, count);
    },
  });
  new Counter({
    name: 'taximeter_limit_decisions_total',
    help: 'Decisions of limits, by result.',
    labelNames: ['result'],
    registers: [registry],
    collect() {
      this.reset();
      for (const [result, count] of Object.entries(house.limiter.counts)) this.inc({ result }, count);
    },
  });
  new Counter({
    name: 'taximeter_report_deliveries_total',
    help: 'Attempts to send scheduled reports, by what became of them.',
    labelNames: ['state'],
    registers: [registry],
    collect() {
      this.reset();
      for (const [state, count] of Object.entries(house.reports.counts)) this.inc({ state }, count);
    },
  });
  addLimitRoom(registry, house);
  new Gauge({
    name: 'taximeter_limit_leased_units',
    help: 'Units that this node has taken of shared counters and not used yet.',
    registers: [registry],
    collect() {
      this.set(house.limiter.leases?.outstanding ?? 0);
    },
  });
  new Counter({
    name: 'taximeter_limit_lease_units_total',
    help: 'Units of leases, by what became of them.',
    labelNames: ['fate'],
    registers: [registry],
    collect() {
      this.reset();
      const { used = 0, returned = 0, lost = 0 } = house.limiter.leases ?? {};
      for (const [fate, units] of Object.entries({ used, returned, lost })) this.inc({ fate }, units);
    },
  });
  new Gauge({
    name: 'taximeter_limit_drift_units',
    help: 'How far counters are from the calls of their windows, whatever the sign, by policy and limit, when last compared.',
    labelNames: ['policy', 'limit'],
    registers: [registry],
    collect() {
      this.reset();
      for (const { limit, drift } of house.drift.last?.sums ?? [])
        this.set({ policy: limit.policy.name, limit: limit.id }, drift);
    },
  });
  new Gauge({
    name: 'taximeter_limit_prices_age_seconds',
    help: 'How old the prices of calls are by which limits count money, by currency.',
    labelNames: ['currency'],
    registers: [registry],
    collect() {
      this.reset();
      for (const { currency, ageSeconds } of house.prices.states) this.set({ currency }, ageSeconds);
    },
  });
  new Gauge({
    name: 'taximeter_journal_bytes',
    help: 'Bytes that wait in the journal.',
    registers: [registry],
    collect() {
      this.set(collector.journalBytes);
    },
  });
  addSyslog(registry, house);
  return registry;
}

/** Of counters in this process's memory; how full Redis is, it says itself. */
function addLimitRoom(registry: Registry, { limiter }: House): void {
  new Gauge({
    name: 'taximeter_limit_reservations',
    help: 'Reservations in memory: held, or over and still remembered.',
    labelNames: ['state'],
    registers: [registry],
    collect() {
      this.reset();
      const { kept } = limiter;
      if (kept === null) return;
      this.set({ state: 'held' }, kept.held);
      this.set({ state: 'remembered' }, kept.remembered);
    },
  });
  new Gauge({
    name: 'taximeter_limit_room_used_ratio',
    help: 'How much of the room for counters (keys) and reservations in memory is taken, 0 to 1.',
    labelNames: ['of'],
    registers: [registry],
    collect() {
      this.reset();
      const { kept } = limiter;
      if (kept === null) return;
      this.set({ of: 'keys' }, kept.keys / kept.mostKeys);
      this.set({ of: 'reservations' }, (kept.held + kept.remembered) / kept.mostHeld);
    },
  });
}

function addSyslog(registry: Registry, { syslog }: House): void {
  new Counter({
    name: 'taximeter_syslog_messages_total',
    help: 'Syslog messages that came, by transport.',
    labelNames: ['transport'],
    registers: [registry],
    collect() {
      this.reset();
      for (const [transport, count] of Object.entries(syslog.messages)) this.inc({ transport }, count);
    },
  });
  new Counter({
    name: 'taximeter_syslog_dropped_total',
    help: 'Syslog messages that could not be kept, by reason.',
    labelNames: ['reason'],
    registers: [registry],
    collect() {
      this.reset();
      for (const [reason, count] of syslog.dropped) this.inc({ reason }, count);
    },
  });
  new Gauge({
    name: 'taximeter_syslog_connections',
    help: 'Open connections of syslog over TCP.',
    registers: [registry],
    collect() {
      this.set(syslog.connections);
    },
  });
}
