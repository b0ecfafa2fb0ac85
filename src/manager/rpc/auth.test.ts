import { expect, test } from "vitest";
import {
  type Cluster,
  caService,
  controlService,
  dispatcherService,
  type Node,
  raftService,
  tunnelService,
} from "../../api/index.js";
import { sampleNode } from "../testing/samples.js";
import { authorize, METHOD_ACCESS, type Peer, peerOfSubject } from "./auth.js";

const nodes: Record<string, Node> = {
  m1: sampleNode({ id: "m1", role: "manager" }),
  demoted: sampleNode({ id: "demoted", role: "worker" }),
  w1: sampleNode({ id: "w1" }),
};
const view = {
  node: (id: string) => nodes[id],
  cluster: () => ({ deniedNodes: [{ nodeId: "gone", untilMs: 1 }] }) as unknown as Cluster,
};
const peer = (nodeId: string, role: Peer["role"], clusterId = "c1"): Peer => ({
  nodeId,
  role,
  clusterId,
});

const SUBMIT = controlService.submit.path;
const JOURNAL = controlService.readJournal.path;
const SESSION = dispatcherService.session.path;
const TUNNEL = tunnelService.open.path;
const STREAM = raftService.stream.path;

test.each([
  { name: "a manager submits", path: SUBMIT, peer: peer("m1", "manager"), is: "allowed" },
  { name: "a worker does not submit", path: SUBMIT, peer: peer("w1", "worker"), is: "refused" },
  { name: "nobody does not submit", path: SUBMIT, peer: undefined, is: "refused" },
  {
    name: "a demoted manager with its old certificate does not submit",
    path: SUBMIT,
    peer: peer("demoted", "manager"),
    is: "stale?",
  },
  {
    name: "an unknown manager may be new",
    path: SUBMIT,
    peer: peer("new", "manager"),
    is: "stale?",
  },
  {
    name: "a removed manager does not submit",
    path: SUBMIT,
    peer: peer("gone", "manager"),
    is: "refused",
  },
  {
    name: "a manager of another cluster does not submit",
    path: SUBMIT,
    peer: peer("m1", "manager", "c2"),
    is: "refused",
  },
  {
    name: "a manager reads the journal",
    path: JOURNAL,
    peer: peer("m1", "manager"),
    is: "allowed",
  },
  {
    name: "a worker does not read the journal",
    path: JOURNAL,
    peer: peer("w1", "worker"),
    is: "refused",
  },
  {
    name: "a demoted manager does not read the journal",
    path: JOURNAL,
    peer: peer("demoted", "manager"),
    is: "stale?",
  },
  { name: "a worker opens a session", path: SESSION, peer: peer("w1", "worker"), is: "allowed" },
  {
    name: "a removed node reaches its session, to be told so",
    path: SESSION,
    peer: peer("gone", "worker"),
    is: "allowed",
  },
  {
    name: "a node of another cluster opens no session",
    path: SESSION,
    peer: peer("w1", "worker", "c2"),
    is: "refused",
  },
  {
    name: "a demoted manager still opens tunnels as a node",
    path: TUNNEL,
    peer: peer("demoted", "manager"),
    is: "allowed",
  },
  {
    name: "a removed node opens no tunnel",
    path: TUNNEL,
    peer: peer("gone", "worker"),
    is: "refused",
  },
  {
    name: "a worker sends no Raft messages",
    path: STREAM,
    peer: peer("w1", "worker"),
    is: "refused",
  },
  { name: "anyone reads the root", path: caService.getRoot.path, peer: undefined, is: "allowed" },
  {
    name: "a method without an entry is refused to everybody",
    path: "/x/Y",
    peer: peer("m1", "manager"),
    is: "refused",
  },
])("$name", ({ path, peer: caller, is }) => {
  const decision = authorize(path, caller, "c1", view);
  const got = decision.kind === "allowed" ? "allowed" : decision.mayBeStale ? "stale?" : "refused";
  expect(got).toBe(is);
});

test("every method of the port has an entry, and nothing else has", () => {
  const services = [caService, controlService, dispatcherService, raftService, tunnelService];
  const paths = services.flatMap((service) => Object.values(service).map((m) => m.path));
  expect([...METHOD_ACCESS.keys()].sort()).toEqual(paths.sort());
});

test.each([
  { name: "manager", subject: { O: "c1", OU: "swarm-manager", CN: "n" }, is: peer("n", "manager") },
  { name: "unknown role", subject: { O: "c1", OU: "admin", CN: "n" }, is: undefined },
  { name: "two names", subject: { O: "c1", OU: "swarm-worker", CN: ["n", "m"] }, is: undefined },
  { name: "no subject", subject: undefined, is: undefined },
])("a certificate's subject: $name", ({ subject, is }) => {
  expect(peerOfSubject(subject)).toEqual(is);
});
