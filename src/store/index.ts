export { Block, bytesOf, packTexts, type TextSource } from './block.ts';
export type { ColumnStore, QueryParams, RowShape } from './columns.ts';
export { type ParsedDocument, parseDocuments } from './document-file.ts';
export { type AppliedVersion, applyVersions, type NewVersion, newestOf, versionsOf } from './document-versions.ts';
export type {
  DocumentStore,
  StoredDocument,
  StoredImport,
  StoredPeriod,
  StoredQuarantine,
  StoredReportDelivery,
  StoredSubject,
} from './documents.ts';
export { type FolderHold, holdFolder } from './lock.ts';
export { RowReader } from './row-reader.ts';
export { RowWriter } from './row-writer.ts';
export { openStore, type Store, type StoreConfig } from './store.ts';
export { hashSeed, Texts } from './texts.ts';
export { writePieces } from './write-pieces.ts';
