#!/usr/bin/env node
// The engine's queries run on libuv's threads; their number is fixed before the first of them starts.
process.env.UV_THREADPOOL_SIZE ??= '8';
await import('../dist/main.js');
