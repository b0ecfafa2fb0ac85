export { buildSpec } from "./build-spec.js";
export { encodeSpec } from "./encode.js";
export { resolveHealthcheck, resolveStopSignal, resolveUserText } from "./image-config.js";
export {
  type HostFacts,
  type LinuxSeccomp,
  type OciMount,
  type OciProcess,
  type OciSpec,
  type ResolvedUser,
  SpecError,
} from "./types.js";
export { resolveUser } from "./user.js";
