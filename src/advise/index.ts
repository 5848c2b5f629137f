export { simulateBill, simulateLoad, simulateMetrics, simulateTraces, simulationDocuments } from './simulate.ts';
export type { LoadOptions, LoadRequest } from './simulation/load.ts';
export type { KeyValue, MetricsRequest, OtlpSpan, TraceRequest } from './simulation/otlp.ts';
export { encodeTraceRequest } from './simulation/otlp-protobuf.ts';
export { type Simulation, type SimulationOptions, simulation } from './simulation/shape.ts';
