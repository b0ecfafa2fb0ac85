export { CAPABILITIES } from "./capabilities.js";
export { CLUSTER_FIELDS, validateCluster } from "./cluster-operations.js";
export { type ControlDeps, createControl, type OperationHandler } from "./control.js";
export { type Capability, type Field, fieldPaths, type Support } from "./field-types.js";
export { newJobFields, nextJobFields } from "./job-fields.js";
export type { Call, Outcome } from "./run-operation.js";
export { dryRun } from "./service-operations.js";
export { SERVICE_FIELDS } from "./unsupported.js";
export { validateService } from "./validate-service.js";
