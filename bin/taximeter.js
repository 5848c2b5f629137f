#!/usr/bin/env node
import { existsSync } from 'node:fs';

// The engine's queries run on libuv's threads; their number is fixed before the first of them starts.
process.env.UV_THREADPOOL_SIZE ??= '8';

// A checkout that was never built builds itself; the published package always has its dist.
if (!existsSync(new URL('../dist/main.js', import.meta.url))) {
  const { build, install } = await import('../scripts/ready.js');
  install();
  build();
}
await import('../dist/main.js');
