/** One service of the simulated API: its pods, and what they use when nobody calls. */
export interface Service {
  readonly name: string;
  readonly pods: number;
  /** CPU time per microsecond of own work; the rest is waiting for locks, sockets and the scheduler. */
  readonly cpuShare: number;
  /** Whether its spans carry taximeter.cpu_us. */
  readonly measuresCpu: boolean;
  /** CPU cores of one pod without any call. */
  readonly idleCores: number;
  /** Working set of one pod after its start. */
  readonly memoryBytes: number;
}

/** The service at the boundary: its SERVER spans are the calls. */
export const GATEWAY = 'api-gateway';

/** The service that reads the queues; half of its traces are kept (ot=th:8). */
export const WORKER = 'worker';

const MIB = 1_048_576;

export const services: readonly Service[] = [
  service(GATEWAY, 2, 0.55, false, 0.0004, 180),
  service('orders', 2, 0.6, true, 0.0003, 310),
  service('catalog', 2, 0.65, false, 0.0003, 420),
  service('search', 1, 0.85, false, 0.0006, 960),
  service('billing', 2, 0.5, true, 0.0002, 260),
  service('reports', 1, 0.9, true, 0.0001, 740),
  service('customers', 1, 0.6, false, 0.0002, 230),
  service('pricing', 1, 0.8, false, 0.0001, 150),
  service(WORKER, 2, 0.7, true, 0.0002, 340),
];

function service(
  name: string,
  pods: number,
  cpuShare: number,
  measuresCpu: boolean,
  idleCores: number,
  memoryMib: number,
): Service {
  return { name, pods, cpuShare, measuresCpu, idleCores, memoryBytes: memoryMib * MIB };
}

export function serviceNamed(name: string): Service {
  const found = services.find((candidate) => candidate.name === name);
  if (!found) throw new Error(`no simulated service is called ${name}`);
  return found;
}
