import type { Node, Service } from "../../api/index.js";
import type { BalanceView } from "../../scheduler/index.js";
import type { Plan } from "./plan.js";
import type { Reach } from "./reach.js";
import type { UpdateMemory } from "./update-memory.js";

/** What the planning of one service works with. */
export type ServiceContext = {
  readonly service: Service;
  readonly nodeOf: (id: string) => Node | undefined;
  readonly newTaskId: () => string;
  readonly memory: UpdateMemory;
  readonly plan: Plan;
  readonly room: BalanceView;
  readonly reach: Reach;
  /** Look at the service again at this Unix ms. */
  readonly wakeAt: (atMs: number) => void;
};
