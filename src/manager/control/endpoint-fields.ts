/** What is ours of a service's endpoint: how long its connections hold a stop, and options of its published ports. */
import {
  type EndpointSpec,
  internSpec,
  LOCAL_OPTION,
  type Service,
  type ServiceSpec,
} from "../../api/index.js";
import { invalid } from "./invalid.js";

const SECOND_NS = 1e9;
/** A rolling update waits for each of its tasks in turn. */
const DRAIN_TIME_MAX_NS = 3_600 * SECOND_NS;
const LOCAL_VALUES: ReadonlySet<string> = new Set(["prefer", "spread"]);

/** Throws ApiError InvalidArgument. */
export function checkEndpointExtensions({ DrainTime = 0, Options = {} }: EndpointSpec): void {
  if (DrainTime > DRAIN_TIME_MAX_NS)
    throw invalid(
      `EndpointSpec.DrainTime must be from 0 to ${DRAIN_TIME_MAX_NS / SECOND_NS}s, not ${DrainTime / SECOND_NS}s`,
    );
  for (const [name, value] of Object.entries(Options)) {
    if (name !== LOCAL_OPTION)
      throw invalid(`EndpointSpec.Options: there is no option "${name}"; use ${LOCAL_OPTION}`);
    if (!LOCAL_VALUES.has(value))
      throw invalid(`EndpointSpec.Options: ${name}=${value}; use ${name}=prefer or ${name}=spread`);
  }
}

/**
 * Docker's clients know nothing of these fields and post specs back without them: then they stay. `given` is the spec as the client sent
 * it; `DrainTime: 2s` and `local=spread` are the way back to what applies without them.
 */
export function withKeptEndpoint(spec: ServiceSpec, given: ServiceSpec, old: Service): ServiceSpec {
  const before = old.spec.EndpointSpec;
  const sent = given.EndpointSpec;
  const kept: Pick<EndpointSpec, "DrainTime" | "Options"> = {
    ...(sent?.DrainTime === undefined &&
      before?.DrainTime !== undefined && { DrainTime: before.DrainTime }),
    ...(sent?.Options === undefined &&
      before?.Options !== undefined && { Options: before.Options }),
  };
  if (Object.keys(kept).length === 0) return spec;
  return internSpec({ ...spec, EndpointSpec: { ...spec.EndpointSpec, ...kept } });
}
