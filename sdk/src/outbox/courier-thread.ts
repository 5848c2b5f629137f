// What runs in the thread that carries: nothing of the program's, and no state but a connection.
import { parentPort, workerData } from 'node:worker_threads';
import { Poster } from '../http/post.ts';
import { carry } from './carry.ts';
import type { Order } from './courier.ts';

const { url, token } = workerData as { readonly url: string; readonly token: string };
const poster = new Poster(url, token, 1);
parentPort?.on('message', async ({ id, path, part, timeoutMs }: Order) => {
  parentPort?.postMessage({ id, carried: await carry(poster, path, part, timeoutMs) });
});
