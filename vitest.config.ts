import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'web/src/**/*.test.ts', 'test/**/*.test.ts'],
    // One engine holds one data folder per process, so every test file gets a process of its own.
    pool: 'forks',
    maxWorkers: 2,
    // Ends what hangs; says nothing about speed.
    testTimeout: 600_000,
    hookTimeout: 600_000,
    reporters: ['default'],
  },
});
