/** The calls we make: path and codecs. grpc-js's generic client needs no generated stubs for them. */
import type { Writer } from "protobufjs";
import { containerd, google } from "./wire.js";

export type Method<Req, Res> = {
  readonly path: string;
  readonly serialize: (request: Req) => Buffer;
  readonly deserialize: (bytes: Buffer) => Res;
};

type Encoder<T> = { encode(message: T): Writer };
type Decoder<T> = { decode(bytes: Uint8Array): T };

function method<Req, Res>(
  service: string,
  name: string,
  request: Encoder<Req>,
  response: Decoder<Res>,
): Method<Req, Res> {
  return {
    path: `/containerd.services.${service}/${name}`,
    serialize: (value) => Buffer.from(request.encode(value).finish()),
    deserialize: (bytes) => response.decode(bytes),
  };
}

const Empty = google.protobuf.Empty;
const c = containerd.services.containers.v1;
const content = containerd.services.content.v1;
const diff = containerd.services.diff.v1;
const events = containerd.services.events.v1;
const images = containerd.services.images.v1;
const introspection = containerd.services.introspection.v1;
const leases = containerd.services.leases.v1;
const s = containerd.services.snapshots.v1;
const t = containerd.services.tasks.v1;
const version = containerd.services.version.v1;

const CONTAINERS = "containers.v1.Containers";
export const containersService = {
  get: method(CONTAINERS, "Get", c.GetContainerRequest, c.GetContainerResponse),
  /** Server stream: a list of many containers passes the 4 MiB message limit. */
  list: method(CONTAINERS, "ListStream", c.ListContainersRequest, c.ListContainerMessage),
  create: method(CONTAINERS, "Create", c.CreateContainerRequest, c.CreateContainerResponse),
  update: method(CONTAINERS, "Update", c.UpdateContainerRequest, c.UpdateContainerResponse),
  delete: method(CONTAINERS, "Delete", c.DeleteContainerRequest, Empty),
};

const CONTENT = "content.v1.Content";
export const contentService = {
  info: method(CONTENT, "Info", content.InfoRequest, content.InfoResponse),
  update: method(CONTENT, "Update", content.UpdateRequest, content.UpdateResponse),
  read: method(CONTENT, "Read", content.ReadContentRequest, content.ReadContentResponse),
  write: method(CONTENT, "Write", content.WriteContentRequest, content.WriteContentResponse),
  abort: method(CONTENT, "Abort", content.AbortRequest, Empty),
};

export const diffService = {
  apply: method("diff.v1.Diff", "Apply", diff.ApplyRequest, diff.ApplyResponse),
};

export const eventsService = {
  subscribe: method("events.v1.Events", "Subscribe", events.SubscribeRequest, events.Envelope),
};

const IMAGES = "images.v1.Images";
export const imagesService = {
  get: method(IMAGES, "Get", images.GetImageRequest, images.GetImageResponse),
  list: method(IMAGES, "List", images.ListImagesRequest, images.ListImagesResponse),
  create: method(IMAGES, "Create", images.CreateImageRequest, images.CreateImageResponse),
  update: method(IMAGES, "Update", images.UpdateImageRequest, images.UpdateImageResponse),
  delete: method(IMAGES, "Delete", images.DeleteImageRequest, Empty),
};

export const introspectionService = {
  plugins: method(
    "introspection.v1.Introspection",
    "Plugins",
    introspection.PluginsRequest,
    introspection.PluginsResponse,
  ),
};

const LEASES = "leases.v1.Leases";
export const leasesService = {
  create: method(LEASES, "Create", leases.CreateRequest, leases.CreateResponse),
  delete: method(LEASES, "Delete", leases.DeleteRequest, Empty),
};

const SNAPSHOTS = "snapshots.v1.Snapshots";
export const snapshotsService = {
  prepare: method(SNAPSHOTS, "Prepare", s.PrepareSnapshotRequest, s.PrepareSnapshotResponse),
  view: method(SNAPSHOTS, "View", s.ViewSnapshotRequest, s.ViewSnapshotResponse),
  mounts: method(SNAPSHOTS, "Mounts", s.MountsRequest, s.MountsResponse),
  commit: method(SNAPSHOTS, "Commit", s.CommitSnapshotRequest, Empty),
  remove: method(SNAPSHOTS, "Remove", s.RemoveSnapshotRequest, Empty),
  stat: method(SNAPSHOTS, "Stat", s.StatSnapshotRequest, s.StatSnapshotResponse),
  list: method(SNAPSHOTS, "List", s.ListSnapshotsRequest, s.ListSnapshotsResponse),
};

const TASKS = "tasks.v1.Tasks";
export const tasksService = {
  create: method(TASKS, "Create", t.CreateTaskRequest, t.CreateTaskResponse),
  start: method(TASKS, "Start", t.StartRequest, t.StartResponse),
  delete: method(TASKS, "Delete", t.DeleteTaskRequest, t.DeleteResponse),
  deleteProcess: method(TASKS, "DeleteProcess", t.DeleteProcessRequest, t.DeleteResponse),
  get: method(TASKS, "Get", t.GetRequest, t.GetResponse),
  list: method(TASKS, "List", t.ListTasksRequest, t.ListTasksResponse),
  kill: method(TASKS, "Kill", t.KillRequest, Empty),
  exec: method(TASKS, "Exec", t.ExecProcessRequest, Empty),
  resume: method(TASKS, "Resume", t.ResumeTaskRequest, Empty),
  wait: method(TASKS, "Wait", t.WaitRequest, t.WaitResponse),
};

export const versionService = {
  version: method("version.v1.Version", "Version", Empty, version.VersionResponse),
};
