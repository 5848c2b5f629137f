export { type Api, type ApiOptions, createApi } from './api.ts';
export { Bodies } from './bodies.ts';
export type { House, Limits, Log } from './house.ts';
export { type ListenConfig, listen } from './listen.ts';
export { type ReportSettings, Reports } from './reports/reports.ts';
export { Sessions } from './sessions.ts';
export { SyslogCounts } from './syslog/counts.ts';
export { listenSyslog, type SyslogConfig, type SyslogListeners } from './syslog/syslog.ts';
