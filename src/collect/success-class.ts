/** How a call ended. A closed set. */
export const successClasses = ['success', 'client_error', 'server_error', 'unknown'] as const;
export type SuccessClass = (typeof successClasses)[number];

/** Column `status` holds HTTP statuses below this, and from it on this plus the status of gRPC. 0 is none. */
export const RPC_STATUS = 1_000;

/** The codes of gRPC by number. From  grpc.io, status codes. */
const rpcCodes = [
  ...['OK', 'CANCELLED', 'UNKNOWN', 'INVALID_ARGUMENT', 'DEADLINE_EXCEEDED', 'NOT_FOUND', 'ALREADY_EXISTS'],
  ...['PERMISSION_DENIED', 'RESOURCE_EXHAUSTED', 'FAILED_PRECONDITION', 'ABORTED', 'OUT_OF_RANGE', 'UNIMPLEMENTED'],
  ...['INTERNAL', 'UNAVAILABLE', 'DATA_LOSS', 'UNAUTHENTICATED'],
];

/** Codes that are a server's fault; the same ones make a server's span an error. From  OpenTelemetry, semantic conventions for gRPC. */
const serverFaults = ['UNKNOWN', 'DEADLINE_EXCEEDED', 'UNIMPLEMENTED', 'INTERNAL', 'UNAVAILABLE', 'DATA_LOSS'].map(
  (code) => RPC_STATUS + rpcCodes.indexOf(code),
);

/** Gives the status that is stored for a code of gRPC, by its number or its name; 0 for what is no such code. */
export function rpcStatusOf(text: string): number {
  if (/^\d{1,2}$/.test(text)) return Number(text) < rpcCodes.length ? RPC_STATUS + Number(text) : 0;
  // Connect spells one of them otherwise.
  const code = rpcCodes.indexOf(text.toUpperCase().replace('CANCELED', 'CANCELLED'));
  return code < 0 ? 0 : RPC_STATUS + code;
}

/**
 * Says how a call ended: by its status where that is an error, else by the mark that its span failed, else by its status.
 *
 * Holds  the same as `successClassSql`.
 */
export function successClassOf(status: number, isError: boolean): SuccessClass {
  if (status > RPC_STATUS) return serverFaults.includes(status) ? 'server_error' : 'client_error';
  if (status < RPC_STATUS && status >= 400) return status >= 500 ? 'server_error' : 'client_error';
  if (isError) return 'server_error';
  return status > 0 ? 'success' : 'unknown';
}

/** The same over the columns `status` and `is_error` of the table `work`. */
export const successClassSql = `multiIf(
  status > ${RPC_STATUS}, if(status IN (${serverFaults.join(', ')}), 'server_error', 'client_error'),
  status < ${RPC_STATUS} AND status >= 500, 'server_error', status < ${RPC_STATUS} AND status >= 400, 'client_error',
  is_error = 1, 'server_error', status > 0, 'success', 'unknown')`;
