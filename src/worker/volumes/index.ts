export {
  LocalVolumes,
  MountError,
  type MountPlan,
  type Volume,
  type VolumeUse,
} from "./local-volumes.js";
