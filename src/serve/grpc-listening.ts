import { createServer, type Socket } from 'node:net';
import { type Server, ServerCredentials } from '@grpc/grpc-js';
import { bind, MOST_CONNECTIONS } from './bind.ts';

const STOP_MS = 5_000;

/** The sockets are ours, so that they are bound, counted and ended as those of the other listeners are. */
export async function listening(server: Server, host: string, port: number): Promise<() => Promise<void>> {
  const injector = server.createConnectionInjector(ServerCredentials.createInsecure());
  const sockets = new Set<Socket>();
  const listener = createServer((socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    injector.injectConnection(socket);
  });
  listener.maxConnections = MOST_CONNECTIONS;
  await bind(listener, host, port);
  return () =>
    new Promise((done) => {
      listener.close(() => {
        injector.destroy();
        done();
      });
      injector.drain(STOP_MS);
      // A sender that does not finish within this time would be cut off by the process manager anyway.
      const cutOff = () => {
        for (const socket of sockets) socket.destroy();
      };
      setTimeout(cutOff, STOP_MS).unref();
    });
}
