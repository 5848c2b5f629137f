import type { Generated, Kysely, Selectable } from 'kysely';

/** A document as it was applied: never edited, only followed by a newer version. */
export interface DocumentTable {
  id: Generated<number>;
  kind: string;
  name: string;
  version: number;
  effective_from: string;
  body: string;
  fingerprint: string;
  applied_at: string;
  applied_by: string;
  reason: string;
}

/** One (source, account, billing period) of one export. In force while `replaced_at` is empty. */
export interface BillImportTable {
  id: Generated<number>;
  import_id: string;
  source: string;
  account: string;
  currency: string;
  billing_start: number;
  billing_end: number;
  row_count: number;
  billed: string;
  effective: string;
  fingerprint: string;
  files: string;
  imported_at: string;
  replaced_at: string | null;
}

/** What an import was, and how it held against the rules of FOCUS. */
export interface BillReportTable {
  import_id: string;
  format: string;
  /** JSON. */
  report: string;
}

/** A closed billing period of one (source, account, currency). */
export interface PeriodTable {
  id: Generated<number>;
  source: string;
  account: string;
  currency: string;
  billing_start: number;
  billing_end: number;
  closed_at: string;
  closed_by: string;
  charges: string;
  fingerprint: string;
  /** The hash that its ledger's chain had come to, and at which place; empty for what was closed before there were chains. */
  seal: Generated<string>;
  seal_place: Generated<number>;
}

/** Small facts that must survive: the next batch number, the day of the last settling. */
export interface FactTable {
  name: string;
  value: string;
}

/** A line of a log that was refused: where it stands, and why. */
export interface QuarantineTable {
  id: Generated<number>;
  /** Tells the log from others, as the identity of its lines does. */
  log: string;
  source: string;
  service: string;
  host: string;
  fingerprint: string;
  tenant_from: string;
  format: string;
  line: number;
  byte_offset: number;
  byte_length: number;
  reason: string;
  refused_at: string;
  /** The beginning of the line; null unless it was asked for. */
  line_text: string | null;
}

/** What is said of a subject of events beside its key. It may name a person, so it is not versioned: deleting it erases it. */
export interface SubjectTable {
  key: string;
  display_name: string | null;
  metadata: string;
  changed_at: string;
}

/** One sending of a report to one target: of a schedule, a period and a target there is one. */
export interface ReportDeliveryTable {
  /** Also what the receiver tells repeats by. */
  id: string;
  schedule: string;
  period_start: string;
  period_end: string;
  /** The target as the document has it, as JSON; never a secret. */
  target: string;
  /** The target for people. */
  shown: string;
  state: 'waiting' | 'sending' | 'sent' | 'failed';
  attempts: number;
  made_at: string;
  /** When it is tried next; while it is being sent, from when on whoever sends it is taken for dead. */
  next_at: string;
  sent_at: string | null;
  /** Why the last attempt failed; empty where none did. */
  error: string;
}

export interface Tables {
  document: DocumentTable;
  bill_import: BillImportTable;
  bill_report: BillReportTable;
  period: PeriodTable;
  fact: FactTable;
  quarantine: QuarantineTable;
  report_delivery: ReportDeliveryTable;
  subject: SubjectTable;
}

/** The document store: SQLite embedded, PostgreSQL at scale, one query builder for both. */
export type DocumentStore = Kysely<Tables>;
export type StoredDocument = Selectable<DocumentTable>;
export type StoredImport = Selectable<BillImportTable>;
export type StoredReportDelivery = Selectable<ReportDeliveryTable>;
export type StoredQuarantine = Selectable<QuarantineTable>;
export type StoredSubject = Selectable<SubjectTable>;
export type StoredPeriod = Selectable<PeriodTable>;
