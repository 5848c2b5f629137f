// What commands use of this room without its listeners: what settings may say.
export { type LimitHeaderKind, limitHeaderKinds } from './limits/rate-limit-headers.ts';
