export {
  API_STATUS,
  ApiError,
  type ApiErrorCode,
  type ApiErrorOptions,
  doorError,
  isApiErrorCode,
} from "./api-error.js";
export type { Brand } from "./brand.js";
export { type Clock, SystemClock } from "./clock.js";
export { createLogger, type ProgramFields } from "./create-logger.js";
export { keepHeapSmall } from "./heap-keeper.js";
export { isFullId, newId } from "./ids.js";
export { InvariantError, invariant, unreachable } from "./invariant.js";
export {
  addressBits,
  type Cidr,
  cidrCovers,
  cidrHas,
  cidrSize,
  cidrsOverlap,
  formatCidr,
  formatIp,
  type IpAddress,
  type IpFamily,
  parseCidr,
  parseIp,
  prefixOf,
} from "./ip.js";
export { type Logger, silentLogger } from "./logger.js";
export { packageVersion } from "./package-version.js";
export { type Random, SeededRandom, SystemRandom } from "./random.js";
export { TaskGroup } from "./task-group.js";
