export { type Api, type ApiOptions, createApi } from './api.ts';
export { Bodies } from './bodies.ts';
export type { House, Limits, Log } from './house.ts';
export { isLocalName, type ListenConfig, listen } from './listen.ts';
