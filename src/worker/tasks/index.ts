export { containerIdOf } from "./container-id.js";
export {
  containerLabels,
  expandedSpec,
  type NodeFacts,
} from "./container-request.js";
export { ImageSource, parseRegistryAuth } from "./image-source.js";
export { networkFilesIn } from "./network-files.js";
export { RecordStore, type TaskPaths, type TaskRecord } from "./record-store.js";
export { TaskManager, type TaskManagerDeps } from "./task-manager.js";
export type { TaskRunner } from "./task-runner.js";
