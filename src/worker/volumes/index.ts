export { LocalVolumes, MountError, type MountPlan, type Volume } from "./local-volumes.js";
