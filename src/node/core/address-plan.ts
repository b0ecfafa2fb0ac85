/** Address pools, subnet size and data path port of a new cluster: checked at init, fixed afterwards (spec §5.4). */
import { type ApiError, doorError } from "../../base/index.js";

export const DEFAULT_POOL = "10.0.0.0/8";
export const DEFAULT_SUBNET_SIZE = 24;
export const DEFAULT_DATA_PATH_PORT = 4789;
const SUBNET_SIZE_MAX = 29;
const POOLS_MAX = 64;

export type AddressPlan = {
  readonly defaultAddrPool: readonly string[];
  readonly subnetSize: number;
  readonly dataPathPort: number;
};

/** Empty list and zeros mean the defaults. Throws ApiError 400. */
export function addressPlan(wanted: {
  readonly DefaultAddrPool: readonly string[];
  readonly SubnetSize: number;
  readonly DataPathPort: number;
}): AddressPlan {
  const pools = wanted.DefaultAddrPool.length === 0 ? [DEFAULT_POOL] : wanted.DefaultAddrPool;
  const subnetSize = wanted.SubnetSize === 0 ? DEFAULT_SUBNET_SIZE : wanted.SubnetSize;
  const dataPathPort = wanted.DataPathPort === 0 ? DEFAULT_DATA_PATH_PORT : wanted.DataPathPort;
  if (pools.length > POOLS_MAX) throw bad(`DefaultAddrPool has more than ${POOLS_MAX} pools`);
  if (!Number.isInteger(subnetSize) || subnetSize < 1 || subnetSize > SUBNET_SIZE_MAX)
    throw bad(`subnet size must be within 1–${SUBNET_SIZE_MAX}, not ${subnetSize}`);
  if (!Number.isInteger(dataPathPort) || dataPathPort < 1_024 || dataPathPort > 49_151)
    throw bad(
      `data path port: VXLAN UDP port number is not in valid range (1024-49151): ${dataPathPort}`,
    );
  const ranges = pools.map((pool) => parsePool(pool, subnetSize));
  for (const [i, range] of ranges.entries()) {
    const other = ranges.findIndex((each, j) => j < i && each.lo < range.hi && range.lo < each.hi);
    if (other >= 0) throw bad(`address pools ${pools[other]} and ${pools[i]} overlap`);
  }
  return { defaultAddrPool: pools, subnetSize, dataPathPort };
}

/** Addresses [lo, hi) of an IPv4 pool. */
function parsePool(pool: string, subnetSize: number): { readonly lo: number; readonly hi: number } {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})\/(\d{1,2})$/.exec(pool);
  const [a, b, c, d, prefix] = (match ?? []).slice(1).map(Number);
  if (a === undefined || b === undefined || c === undefined || d === undefined)
    throw bad(`address pool "${pool}" is not an IPv4 network like 10.0.0.0/8`);
  if (prefix === undefined || prefix > 32 || [a, b, c, d].some((part) => part > 255))
    throw bad(`address pool "${pool}" is not an IPv4 network like 10.0.0.0/8`);
  if (prefix > subnetSize)
    throw bad(`address pool ${pool} is smaller than one subnet of size /${subnetSize}`);
  const size = 2 ** (32 - prefix);
  const address = ((a * 256 + b) * 256 + c) * 256 + d;
  const lo = address - (address % size);
  return { lo, hi: lo + size };
}

function bad(message: string): ApiError {
  return doorError("InvalidArgument", message);
}
