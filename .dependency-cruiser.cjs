// The one direction of imports: a room may import only rooms to its left, and only through their door (index.ts).
const rooms = [
  'model',
  'store',
  'collect',
  'bill',
  'usage',
  'cost',
  'ledger',
  'limit',
  'watch',
  'advise',
  'serve',
  'cli',
];

const leftOnly = rooms.map((room, i) => ({
  name: `${room}-imports-only-to-its-left`,
  comment:
    'Rooms stand in one total order; an arrow to the right would make a cycle of ideas. Ask for a function type instead.',
  severity: 'error',
  from: { path: `^src/${room}/`, pathNot: '\\.test\\.ts$' },
  to: { path: `^src/(${[...rooms.slice(i + 1), 'main'].join('|')})[/.]` },
}));

const throughTheDoor = rooms.map((room) => ({
  name: `${room}-through-its-door`,
  comment:
    'Only index.ts is promised to others, and front.ts to commands; everything else in a room may change without asking.',
  severity: 'error',
  from: { path: '^(src|web/src)/', pathNot: `^src/${room}/` },
  to: { path: `^src/${room}/`, pathNot: `^src/${room}/(index\\.ts|front\\.ts|contract/)` },
}));

module.exports = {
  forbidden: [
    ...leftOnly,
    ...throughTheDoor,
    {
      name: 'commands-start-light',
      comment: 'Most commands ask a server that runs. What they need of a room without its engines is in its front.ts.',
      severity: 'error',
      from: { path: '^src/cli/', pathNot: '\\.test\\.ts$' },
      to: { path: '^src/(?!model|advise|cli)[^/]+/index\\.ts$', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'front-is-for-commands',
      comment: 'A room knows others by index.ts; front.ts is the part of it that loads quickly.',
      severity: 'error',
      from: { path: '^src/(?!cli)[^/]+/' },
      to: { path: '^src/[^/]+/front\\.ts$' },
    },
    {
      name: 'model-is-pure',
      comment: 'The words of the house must be usable everywhere, also in the browser: no I/O.',
      severity: 'error',
      from: { path: '^src/model/', pathNot: '\\.test\\.ts$' },
      to: { dependencyTypes: ['core', 'npm'] },
    },
    {
      name: 'web-knows-only-the-contract',
      comment: 'The dashboards talk to the API; they may share its types and nothing else.',
      severity: 'error',
      from: { path: '^web/src/' },
      to: { path: '^src/', pathNot: '^src/serve/contract/' },
    },
    {
      name: 'sdk-stands-alone',
      comment: 'It is a package of its own, for programs that have nothing of Taximeter but its address.',
      severity: 'error',
      from: { path: '^sdk/' },
      to: { path: '^(src|web|test|bench)/' },
    },
    {
      name: 'nobody-imports-the-sdk',
      comment: 'The server is not one of the programs that it measures.',
      severity: 'error',
      from: { path: '^(src|web/src)/' },
      to: { path: '^sdk/' },
    },
    {
      name: 'no-cycles',
      severity: 'error',
      comment: 'A cycle cannot be read top to bottom.',
      from: {},
      to: { circular: true },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { extensions: ['.ts', '.tsx', '.js', '.json'] },
  },
};
