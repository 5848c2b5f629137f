// What commands use of this room without its engines.
export { type RunningServer, runningServer } from './lock.ts';
