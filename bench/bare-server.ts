// A process of its own that answers as little as can be answered: what a protocol costs by itself. Arguments: http or grpc, and a port.
import { createServer } from 'node:http';
import { Server, ServerCredentials, type ServiceDefinition } from '@grpc/grpc-js';

const [kind, port] = [process.argv[2], Number(process.argv[3])];
/** As long as an answer about four levels. */
const answer = 'x'.repeat(1_500);

if (kind === 'http') {
  const server = createServer((request, response) => {
    request.resume();
    request.once('end', () => {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': answer.length });
      response.end(answer);
    });
  });
  server.listen(port, '127.0.0.1', () => process.send?.('up'));
} else {
  const asIs = (bytes: Buffer) => bytes;
  const bytes = {
    requestSerialize: asIs,
    requestDeserialize: asIs,
    responseSerialize: asIs,
    responseDeserialize: asIs,
  };
  const path = '/envoy.service.ratelimit.v3.RateLimitService/ShouldRateLimit';
  const unary = { path, requestStream: false, responseStream: false, ...bytes };
  const server = new Server({ 'grpc.enable_channelz': 0 });
  const small = Buffer.from(answer.slice(0, 300));
  server.addService({ call: unary } as ServiceDefinition, {
    call: (_: unknown, done: (cause: null, answer: Buffer) => void) => done(null, small),
  });
  server.bindAsync(`127.0.0.1:${port}`, ServerCredentials.createInsecure(), () => process.send?.('up'));
}

process.on('message', () => {
  const { user, system } = process.cpuUsage();
  process.send?.((user + system) / 1e6);
});
