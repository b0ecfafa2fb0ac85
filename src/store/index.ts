export { type AddressClaim, addressClaims, serviceClaims, taskClaims } from "./claim-index.js";
export { ClusterStore } from "./cluster-store.js";
export type {
  BatchOrigin,
  ProposeErrorCode,
  Proposer,
  ReplicatedStore,
  Store,
  StoreBatch,
  StoreEvent,
  StoreView,
} from "./port.js";
export { ProposeError } from "./propose-error.js";
export { rejectionText } from "./rejection-text.js";
export { LocalProposer } from "./simple-proposer.js";
export { SnapshotError, type SnapshotErrorCode } from "./snapshot-error.js";
export type { Pace } from "./time-slice.js";
