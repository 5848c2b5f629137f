// What commands use of this room without its readers and its tables: files of exports, and what they may be.
export { exportFiles } from './export-files.ts';
export { billFormats } from './formats/translation.ts';
export { createUnzstd } from './unzstd.ts';
