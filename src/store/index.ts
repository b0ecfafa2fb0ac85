export type {
  ProposeErrorCode,
  Proposer,
  ReplicatedStore,
  Store,
  StoreBatch,
  StoreEvent,
  StoreView,
} from "./port.js";
export { ProposeError } from "./propose-error.js";
