/**
 * The tables of the analytic engine, forward only: a statement that has been released is never edited, a new one is added below.
 * One text serves the embedded engine and a server. `{durable}` is the list of settings that make an insert survive a power cut.
 */
export const columnMigrations: readonly { readonly id: string; readonly statements: readonly string[] }[] = [
  {
    id: '0001-work',
    statements: [
      // One row per span and taker, as signed versions: a correction adds the old row with sign -1 and the new one with +1.
      // Partitioned by the day its batch was journalled, so that one batch is always one part: all of it or nothing.
      `CREATE TABLE IF NOT EXISTS work (
        batch UInt64, sign Int8, received Date,
        call_trace FixedString(16), call_span FixedString(8), is_call UInt8, share UInt64,
        tenant LowCardinality(String), endpoint LowCardinality(String), consumer String, resolver LowCardinality(String),
        busy_us UInt64, db_calls UInt8, db_us UInt64, ext_calls UInt8, ext_us UInt64, is_reversed UInt8,
        segment UInt64, position UInt32,
        namespace LowCardinality(String), trace_id FixedString(16), span_id FixedString(8), parent_id FixedString(8),
        origin UInt8, kind UInt8,
        start_at DateTime64(9, 'UTC'), end_at DateTime64(9, 'UTC'), is_timed UInt8, weight UInt64, is_weight_known UInt8,
        service LowCardinality(String), pod LowCardinality(String), name LowCardinality(String), peer LowCardinality(String), is_db UInt8,
        own_endpoint LowCardinality(String), status UInt16, is_error UInt8,
        own_tenant LowCardinality(String), own_resolver LowCardinality(String),
        resource_tenant LowCardinality(String), resource_resolver LowCardinality(String), own_consumer String,
        cpu_us Nullable(UInt64), mem_byte_ms Nullable(UInt64), gpu_us Nullable(UInt64), bytes_in Nullable(UInt64), bytes_out Nullable(UInt64),
        log_bytes Nullable(UInt64), tokens_in Nullable(UInt64), tokens_out Nullable(UInt64), retries Nullable(UInt64), cold_start Nullable(UInt64),
        links Array(FixedString(24)),
        INDEX by_trace trace_id TYPE bloom_filter(0.01) GRANULARITY 1,
        INDEX by_start start_at TYPE minmax GRANULARITY 1,
        INDEX by_batch batch TYPE minmax GRANULARITY 1
      ) ENGINE = MergeTree PARTITION BY toYYYYMM(received)
      ORDER BY (toStartOfHour(start_at), service, tenant, endpoint) SETTINGS {durable}`,
      // Which trace's work depends on which other trace, to assemble it again when that one changes.
      `CREATE TABLE IF NOT EXISTS links (
        batch UInt64, namespace LowCardinality(String), target FixedString(16), source FixedString(16)
      ) ENGINE = MergeTree ORDER BY (target, source) SETTINGS {durable}`,
      // Calls per minute. A marker row per batch makes "has this batch been counted?" a question to the table itself.
      `CREATE TABLE IF NOT EXISTS usage_minute (
        marker UInt64, minute DateTime('UTC'), tenant LowCardinality(String), endpoint LowCardinality(String), consumer String,
        calls Int64, known Int64, errors Int64, timed Int64, duration_us Int64,
        sized_in Int64, bytes_in Int64, sized_out Int64, bytes_out Int64
      ) ENGINE = SummingMergeTree ORDER BY (marker, tenant, endpoint, minute, consumer) SETTINGS {durable}`,
      // Metric points. Of the same series and time the first journalled stays: the version counts down.
      `CREATE TABLE IF NOT EXISTS samples (
        batch UInt64, age UInt64, metric LowCardinality(String), series FixedString(16), service LowCardinality(String), pod LowCardinality(String),
        kind Enum8('gauge' = 0, 'delta' = 1, 'cumulative' = 2), at DateTime64(9, 'UTC'), value Int128
      ) ENGINE = ReplacingMergeTree(age) ORDER BY (metric, series, at) SETTINGS {durable}`,
    ],
  },
  {
    id: '0002-charges',
    statements: [
      // One row per line of a bill. Which import is in force is the documents' business; rows are never changed.
      `CREATE TABLE IF NOT EXISTS charges (
        import_id UInt64, line UInt32, source LowCardinality(String), account LowCardinality(String), currency LowCardinality(String),
        billing_start DateTime('UTC'), billing_end DateTime('UTC'), charge_start DateTime('UTC'), charge_end DateTime('UTC'),
        billed Decimal(38, 18), effective Decimal(38, 18), list Decimal(38, 18), contracted Decimal(38, 18),
        columns Map(LowCardinality(String), String), tags Map(LowCardinality(String), String)
      ) ENGINE = MergeTree PARTITION BY toYYYYMM(billing_start)
      ORDER BY (source, account, billing_start, import_id, charge_start, line) SETTINGS {durable}`,
      // The ledger: what was posted is never changed; a new posting of a slice brings the reversal of the old one in the same block.
      `CREATE TABLE IF NOT EXISTS postings (
        batch UInt64, posted_at DateTime64(3, 'UTC'), slice FixedString(16), version UInt32, fingerprint FixedString(16), entry Enum8('posting' = 1, 'reversal' = -1),
        source LowCardinality(String), account LowCardinality(String), currency LowCardinality(String),
        billing_start DateTime('UTC'), billing_end DateTime('UTC'), charge_start DateTime('UTC'), charge_end DateTime('UTC'),
        pool LowCardinality(String), kind Enum8('direct' = 1, 'indirect' = 2), model LowCardinality(String), driver LowCardinality(String),
        ledger Enum8('tenant' = 1, 'idle' = 2, 'unattributed' = 3, 'out_of_scope' = 4, 'bill' = 5),
        service LowCardinality(String), tenant LowCardinality(String), endpoint LowCardinality(String),
        weight Decimal(76, 0), amount Decimal(38, 18)
      ) ENGINE = MergeTree PARTITION BY toYYYYMM(billing_start)
      ORDER BY (toStartOfDay(charge_start), tenant, endpoint, pool) SETTINGS {durable}`,
    ],
  },
  {
    id: '0003-repeats',
    // A client that gave up on an insert may send it again while the server still works on the first one.
    statements: ['work', 'links', 'usage_minute', 'samples', 'charges', 'postings'].map(
      (table) => `ALTER TABLE ${table} MODIFY SETTING non_replicated_deduplication_window = {remembered}`,
    ),
  },
  {
    id: '0004-dimensions',
    statements: [
      // What kind of call it was, and in which place and version it ran. Tokens that a span repeats from those below it
      // (1: in, 2: out) are kept but do not count; a retry is an outbound call that follows a failed one like it.
      `ALTER TABLE work ADD COLUMN call_kind LowCardinality(String), ADD COLUMN region LowCardinality(String),
        ADD COLUMN version LowCardinality(String), ADD COLUMN flags LowCardinality(String), ADD COLUMN records Nullable(UInt64),
        ADD COLUMN repeats_tokens UInt8, ADD COLUMN is_retry UInt8`,
      // The variance of a count of calls, in squared millionths: the sum of w (w - 1).
      'ALTER TABLE usage_minute ADD COLUMN variance Int128',
    ],
  },
  {
    id: '0005-events',
    statements: [
      // One row per event, its repeats left out when it was loaded: nobody has to think of them at a query.
      // `data` is what was sent; `exact` is that again with long numbers as texts, where a double would round them.
      `CREATE TABLE IF NOT EXISTS events (
        batch UInt64, received Date, hash FixedString(16),
        ingested_at DateTime64(3, 'UTC'), stored_at DateTime64(3, 'UTC'),
        type LowCardinality(String), subject String, time DateTime64(9, 'UTC'),
        id String, source String, dataschema String, data String, exact String,
        INDEX by_hash hash TYPE bloom_filter(0.01) GRANULARITY 1,
        INDEX by_time time TYPE minmax GRANULARITY 1,
        INDEX by_batch batch TYPE minmax GRANULARITY 1
      ) ENGINE = MergeTree PARTITION BY toYYYYMM(received)
      ORDER BY (type, subject, time) SETTINGS {durable}, non_replicated_deduplication_window = {remembered}`,
    ],
  },
  {
    id: '0006-counter-starts',
    // Since when a counter counts: a reset shows by it also where the counter has outgrown its old value meanwhile.
    statements: [`ALTER TABLE samples ADD COLUMN IF NOT EXISTS started DateTime64(9, 'UTC')`],
  },
  {
    id: '0007-wide-minutes',
    // Weights and quantities are what senders say: sums of a minute may need more than 64 bits.
    statements: [
      'calls',
      'known',
      'errors',
      'timed',
      'duration_us',
      'sized_in',
      'bytes_in',
      'sized_out',
      'bytes_out',
    ].map((column) => `ALTER TABLE usage_minute MODIFY COLUMN ${column} Int128`),
  },
  {
    id: '0008-retention',
    statements: [
      // What was let go, up to which day: of work by the day of receipt, of everything else by its own time. The row of a run
      // puts what it added up in force and its raw rows out of force, at once. `batch`: the largest number given until then.
      `CREATE TABLE IF NOT EXISTS retention (
        run UInt64, kind LowCardinality(String), since Date, until Date, done_at DateTime64(3, 'UTC'), rows UInt64, batch UInt64
      ) ENGINE = MergeTree ORDER BY (kind, run) SETTINGS {durable}, non_replicated_deduplication_window = {remembered}`,
      // Work that was let go: what each driver came to in each hour since 1970. A partition is what one run added up.
      `CREATE TABLE IF NOT EXISTS work_hour (
        run UInt64, hour Int32, tenant LowCardinality(String), endpoint LowCardinality(String), service LowCardinality(String), rows Int64, sampled UInt64,
        calls Int128, spans Int128, busy_us Int128, db_calls Int128, db_us Int128, ext_calls Int128, ext_us Int128, cpu_us Int128,
        mem_byte_ms Int128, gpu_us Int128, bytes_in Int128, bytes_out Int128, log_bytes Int128, tokens_in Int128, tokens_out Int128,
        retries Int128, cold_start Int128
      ) ENGINE = MergeTree PARTITION BY run ORDER BY (hour, tenant, endpoint, service) SETTINGS {durable}`,
      // Which drivers were measured in the work of such calls, by hour: alike calls are one row, without ids. A call of which
      // other rows were still there keeps its ids, so that both parts can be put together.
      `CREATE TABLE IF NOT EXISTS call_measures (
        run UInt64, call_trace FixedString(16), call_span FixedString(8), tenant LowCardinality(String), endpoint LowCardinality(String),
        first_hour Int32, last_hour Int32, parts Array(Tuple(Int32, Int64, UInt32, Int128))
      ) ENGINE = MergeTree PARTITION BY run ORDER BY (first_hour, tenant, endpoint) SETTINGS {durable}`,
      // Which service a pod of such work belonged to.
      `CREATE TABLE IF NOT EXISTS pod_service (
        run UInt64, pod String, service LowCardinality(String)
      ) ENGINE = MergeTree PARTITION BY run ORDER BY pod SETTINGS {durable}`,
    ],
  },
  {
    id: '0010-usage-dimensions',
    // What kind of call it was, how it ended, and where it ran. Rows that differ in these must not be merged, so they are part
    // of the order. Minutes that were counted without them are counted anew from the calls; a crash begins again with the first.
    statements: [
      `ALTER TABLE usage_minute ADD COLUMN IF NOT EXISTS call_kind LowCardinality(String), ADD COLUMN IF NOT EXISTS class LowCardinality(String),
        ADD COLUMN IF NOT EXISTS region LowCardinality(String), ADD COLUMN IF NOT EXISTS version LowCardinality(String),
        ADD COLUMN IF NOT EXISTS flags LowCardinality(String),
        MODIFY ORDER BY (marker, tenant, endpoint, minute, consumer, call_kind, class, region, version, flags)`,
      `ALTER TABLE usage_minute ADD COLUMN IF NOT EXISTS counted_records Int128, ADD COLUMN IF NOT EXISTS records Int128`,
      'ALTER TABLE usage_minute DELETE WHERE marker = 0 SETTINGS mutations_sync = 2',
      `INSERT INTO usage_minute (marker, minute, tenant, endpoint, consumer, call_kind, class, region, version, flags,
        calls, known, errors, timed, duration_us, sized_in, bytes_in, sized_out, bytes_out, counted_records, records, variance)
      SELECT 0 AS marker, toStartOfMinute(toDateTime(start_at, 'UTC')) AS minute, tenant, endpoint, consumer, call_kind,
        multiIf(status >= 500, 'server_error', status >= 400, 'client_error', is_error = 1, 'server_error', status > 0, 'success', 'unknown') AS class,
        region, version, flags, sum(sign * toInt128(share)), sum(sign * toInt128(share) * is_weight_known),
        sum(sign * toInt128(share) * is_error), sum(sign * toInt128(share) * is_timed),
        sum(sign * intDiv(toInt128(greatest(0, intDiv(toUnixTimestamp64Nano(end_at) - toUnixTimestamp64Nano(start_at), 1000))) * share, 1000000)),
        sum(sign * toInt128(share) * isNotNull(bytes_in)), sum(sign * intDiv(toInt128(ifNull(bytes_in, 0)) * share, 1000000)),
        sum(sign * toInt128(share) * isNotNull(bytes_out)), sum(sign * intDiv(toInt128(ifNull(bytes_out, 0)) * share, 1000000)),
        sum(sign * toInt128(share) * isNotNull(records)), sum(sign * intDiv(toInt128(ifNull(records, 0)) * share, 1000000)),
        sum(sign * toInt128(share) * (toInt128(share) - 1000000))
      FROM work WHERE is_call = 1 AND batch IN (SELECT marker FROM usage_minute WHERE marker > 0)
      GROUP BY minute, tenant, endpoint, consumer, call_kind, class, region, version, flags
      SETTINGS insert_deduplicate = 0`,
    ],
  },
  {
    id: '0012-ledger-chain',
    statements: [
      // Which closed bill a posting restates, and the chain: of which period a block is, its place there, its hash and the one before.
      `ALTER TABLE postings ADD COLUMN IF NOT EXISTS restates DateTime('UTC'), ADD COLUMN IF NOT EXISTS chain_period UInt32,
        ADD COLUMN IF NOT EXISTS chain_place UInt32, ADD COLUMN IF NOT EXISTS chain_before LowCardinality(String),
        ADD COLUMN IF NOT EXISTS chain LowCardinality(String), ADD INDEX IF NOT EXISTS by_place (chain_period, chain_place) TYPE minmax GRANULARITY 1`,
    ],
  },
  {
    id: '0012-late-calls',
    statements: [
      // How many calls of each hour were known when its month was closed: what there is more of now came late.
      `CREATE TABLE IF NOT EXISTS calls_at_close (
        closing DateTime64(3, 'UTC'), hour DateTime('UTC'), tenant LowCardinality(String), endpoint LowCardinality(String), calls Int128
      ) ENGINE = MergeTree ORDER BY (closing, hour, tenant, endpoint) SETTINGS {durable}`,
      // Calls of each hour by the set of drivers that were measured for them, as of the last allocation of their day. A day counts by
      // its newest stamp that has a head: a row without calls that says up to which batch of work it was made.
      `CREATE TABLE IF NOT EXISTS measured_hour (
        day Date, stamp UInt64, is_head UInt8, batch UInt64, hour DateTime('UTC'),
        tenant LowCardinality(String), endpoint LowCardinality(String), drivers UInt32, calls Int128
      ) ENGINE = MergeTree ORDER BY (day, stamp, tenant, endpoint) SETTINGS {durable}`,
    ],
  },
  {
    id: '0012-minutes-by-hour',
    statements: [
      // Sums of hours that the engine keeps within each part of the minutes: written with it, all or nothing, and taken by itself for
      // questions that need no more. Parts are summed up when they are merged, and so are their hours.
      "ALTER TABLE usage_minute MODIFY SETTING deduplicate_merge_projection_mode = 'rebuild'",
      `ALTER TABLE usage_minute ADD PROJECTION IF NOT EXISTS by_hour (
        SELECT marker, toStartOfHour(minute), tenant, endpoint, sum(calls), sum(known) GROUP BY marker, toStartOfHour(minute), tenant, endpoint
      )`,
      'ALTER TABLE usage_minute MATERIALIZE PROJECTION by_hour',
    ],
  },
  {
    id: '0015-usage-rollup',
    statements: [
      // Calls of a quarter of an hour or of a UTC day, by few dimensions at a time. Which ones a row is for says `cut`: sums over
      // the rows of one cut are all calls. A marker row (cut 0) for each batch of `work` that is in it, inserted with its rows.
      // By day first: reports ask for stretches of time, of everybody as often as of one tenant.
      `CREATE TABLE IF NOT EXISTS usage_rollup (
        marker UInt64, cut UInt8, day Date, tenant LowCardinality(String), endpoint LowCardinality(String), consumer String,
        slot DateTime('UTC'), calls Int128, known Int128, errors Int128
      ) ENGINE = SummingMergeTree ORDER BY (marker, cut, day, tenant, endpoint, consumer, slot)
      SETTINGS {durable}, non_replicated_deduplication_window = {remembered}`,
    ],
  },
  {
    id: '0013-fees',
    statements: [
      // What a span said to have cost elsewhere, in 10^-12 of a currency whose three letters are kept as one number.
      'ALTER TABLE work ADD COLUMN IF NOT EXISTS fee_pico Nullable(UInt64), ADD COLUMN IF NOT EXISTS fee_currency Nullable(UInt64)',
      // Whose a measurement is, where it says so.
      'ALTER TABLE samples ADD COLUMN IF NOT EXISTS tenant LowCardinality(String)',
    ],
  },
  {
    id: '0041-measured-state',
    statements: [
      // Batches are not stored in the order of their numbers, so the newest of a day says too little: heads hold which state of the
      // day's work was counted. What was counted before is counted again.
      'DROP TABLE IF EXISTS measured_hour',
      `CREATE TABLE IF NOT EXISTS measured_hour (
        day Date, stamp UInt64, is_head UInt8, state UInt64, hour DateTime('UTC'),
        tenant LowCardinality(String), endpoint LowCardinality(String), drivers UInt32, calls Int128
      ) ENGINE = MergeTree ORDER BY (day, stamp, tenant, endpoint) SETTINGS {durable}`,
    ],
  },
  {
    id: '0043-compact-work',
    statements: [
      // A batch is one part of more than 60 columns: as a wide part that is up to 200 files, each made and synced by itself. Parts of
      // batches are one file of data; merged into a part of this many bytes, before packing, they are wide.
      'ALTER TABLE work MODIFY SETTING min_bytes_for_wide_part = 268435456',
    ],
  },
  {
    id: '0050-rollups-of-weeks-and-months',
    statements: [
      // Weeks by endpoint (cut 7) and by consumer (8), and months by consumer (9), as days (5 and 6) have them: rows of days under the
      // name of their week or month, which the table adds up. A crash begins again with the first statement.
      'ALTER TABLE usage_rollup DELETE WHERE cut IN (7, 8, 9) SETTINGS mutations_sync = 2',
      `INSERT INTO usage_rollup (marker, cut, day, tenant, endpoint, consumer, slot, calls, known, errors)
      SELECT 0, toUInt8(named.1), named.2, tenant, endpoint, consumer, toDateTime(named.2, 'UTC'), calls, known, errors
      FROM usage_rollup ARRAY JOIN if(cut = 5, [(7, toMonday(day))], [(8, toMonday(day)), (9, toStartOfMonth(day))]) AS named
      WHERE marker = 0 AND cut IN (5, 6) SETTINGS insert_deduplicate = 0`,
    ],
  },
];

export const durableSettings = 'fsync_after_insert = 1, fsync_part_directory = 1';
