import { beforeAll, expect, test } from "vitest";
import { ClientError } from "../../src/cli/client.js";
import { api, create, node, reset, serviceSpec } from "./playground.js";

beforeAll(reset);

async function refusal(
  method: string,
  path: string,
  body: unknown,
): Promise<{ status: number; message: string }> {
  try {
    await api(node("m1")).call(method, path, { body });
  } catch (error) {
    if (error instanceof ClientError) return { status: error.status, message: error.message };
    throw error;
  }
  throw new Error(`${method} ${path} was accepted`);
}

const spec = (task: object, rest: object = {}): object => serviceSpec("bad", { task, rest });

test.each([
  {
    name: "no image",
    body: { Name: "bad", TaskTemplate: { ContainerSpec: {} } },
    status: 400,
    text: "ContainerSpec: image reference must be provided",
  },
  {
    name: "bad name",
    body: { ...serviceSpec("bad name!"), Name: "bad name!" },
    status: 400,
    text: "name must be valid as a DNS name component",
  },
  {
    name: "two modes",
    body: spec({}, { Mode: { Replicated: {}, Global: {} } }),
    status: 400,
    text: "must specify only one service mode",
  },
  {
    name: "too little memory",
    body: spec({ Resources: { Limits: { MemoryBytes: 1000 } } }),
    status: 400,
    text: "emory",
  },
  {
    name: "too little CPU",
    body: spec({ Resources: { Limits: { NanoCPUs: 10 } } }),
    status: 400,
    text: "cpu",
  },
  {
    name: "negative restart delay",
    body: spec({ RestartPolicy: { Delay: -1 } }),
    status: 400,
    text: "elay",
  },
  {
    name: "ratio above one",
    body: spec({}, { UpdateConfig: { Parallelism: 1, MaxFailureRatio: 2 } }),
    status: 400,
    text: "axfailureratio",
  },
  {
    name: "unknown restart condition",
    body: spec({ RestartPolicy: { Condition: "maybe" } }),
    status: 400,
    text: "maybe",
  },
  {
    name: "bad constraint",
    body: spec({ Placement: { Constraints: ["node.role~worker"] } }),
    status: 500,
    text: "constraint expected one operator from ==, !=",
  },
  {
    name: "unknown network",
    body: spec({ Networks: [{ Target: "nope" }] }),
    status: 500,
    text: "network nope not found",
  },
  {
    name: "secret",
    body: serviceSpec("bad", {
      container: {
        Secrets: [
          { SecretID: "x", SecretName: "x", File: { Name: "x", UID: "0", GID: "0", Mode: 292 } },
        ],
      },
    }),
    status: 501,
    text: "TaskTemplate.ContainerSpec.Secrets",
  },
  {
    name: "schedule of a global job",
    body: spec({}, { Mode: { GlobalJob: { Schedule: { Expression: "@daily" } } } }),
    status: 501,
    text: "Mode.GlobalJob.Schedule",
  },
  {
    name: "update settings of a job",
    body: spec({}, { Mode: { ReplicatedJob: {} }, UpdateConfig: { Parallelism: 1 } }),
    status: 400,
    text: "UpdateConfig",
  },
  { name: "wrong type", body: spec({ ContainerSpec: { Image: 5 } }), status: 400, text: "Image" },
])("$name: $status", async ({ body, status, text }) => {
  const refused = await refusal("POST", "/services/create", body);
  expect(refused.status).toBe(status);
  expect(refused.message.toLowerCase()).toContain(text.toLowerCase());
});

test("a stale version is 500 update out of sequence, a missing one 400", async () => {
  const id = await create(node("m2"), "stale", { replicas: 0 });
  const body = serviceSpec("stale", { replicas: 0 });
  expect(await refusal("POST", `/services/${id}/update?version=1`, body)).toEqual({
    status: 500,
    message: "rpc error: code = Unknown desc = update out of sequence",
  });
  expect(await refusal("POST", `/services/${id}/update`, body)).toEqual({
    status: 400,
    message: `invalid service version '': strconv.ParseUint: parsing "": invalid syntax`,
  });
});

test("nothing refused was stored", async () => {
  const services = await api(node("m3")).call<{ Spec: { Name: string } }[]>("GET", "/services");
  expect(services.map((service) => service.Spec.Name)).toEqual(["stale"]);
});
