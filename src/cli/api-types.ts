/** The parts of the Engine API's answers that the tables and waits read. */
export type ApiTask = {
  readonly ID: string;
  readonly CreatedAt: string;
  readonly ServiceID: string;
  readonly Slot?: number;
  readonly NodeID?: string;
  readonly DesiredState: string;
  /** Index is left out while it is 0. */
  readonly JobIteration?: { readonly Index?: number };
  readonly Spec: {
    readonly ContainerSpec?: { readonly Image?: string };
    readonly RestartPolicy?: { readonly Condition?: string };
  };
  readonly Status: {
    readonly State: string;
    readonly Timestamp?: string;
    readonly Err?: string;
    readonly PortStatus?: { readonly Ports?: readonly ApiPort[] };
  };
};

export type ApiPort = {
  readonly Protocol?: string;
  readonly TargetPort?: number;
  readonly PublishedPort?: number;
  readonly PublishMode?: string;
};

export type ApiService = {
  readonly ID: string;
  readonly Version: { readonly Index: number };
  readonly Spec: {
    readonly Name: string;
    readonly Mode: {
      readonly Replicated?: { readonly Replicas: number };
      readonly Global?: object;
      readonly ReplicatedJob?: {
        readonly MaxConcurrent: number;
        readonly TotalCompletions: number;
        readonly Schedule?: { readonly Expression: string; readonly TimeZone: string };
      };
      readonly GlobalJob?: object;
    };
    readonly TaskTemplate: { readonly ContainerSpec?: { readonly Image?: string } };
    readonly UpdateConfig?: { readonly Monitor?: number };
  };
  readonly PreviousSpec?: unknown;
  readonly Endpoint?: { readonly Ports?: readonly ApiPort[] };
  readonly UpdateStatus?: { readonly State?: string; readonly Message?: string };
  readonly ServiceStatus?: {
    readonly RunningTasks: number;
    readonly DesiredTasks: number;
    readonly CompletedTasks?: number;
  };
  readonly JobStatus?: { readonly JobIteration: { readonly Index?: number } };
  /** Of a job with a schedule. */
  readonly ScheduleStatus?: { readonly NextTick?: string };
  /** Of the latest time that tasks were moved to emptier nodes. */
  readonly RebalanceStatus?: {
    readonly State: string;
    readonly Moved: number;
    readonly Moving: number;
    readonly ImbalanceBefore: number;
    readonly ImbalanceAfter?: number;
    readonly Message?: string;
  };
  /** "simulated" where no container really runs. */
  readonly Engine?: string;
};

/** One of `GET /services/{id}/history`, newest first. */
export type ApiRevision = {
  readonly Version: { readonly Index: number };
  readonly CreatedAt: string;
  readonly Cause: string;
  /** Host name of the manager that took the call, where that is known. */
  readonly By?: string;
  readonly IsPresent: boolean;
  readonly Spec: ApiService["Spec"];
};

export type ApiNode = {
  readonly ID: string;
  readonly Version: { readonly Index: number };
  readonly Spec: {
    readonly Name?: string;
    readonly Role: string;
    readonly Availability: string;
    readonly Labels?: Readonly<Record<string, string>>;
    readonly Drain?: { readonly Deadline?: number; readonly MaxParallel?: number };
  };
  /** While a drain is under way, or has ended. */
  readonly DrainStatus?: { readonly StartedAt: string; readonly Deadline: string };
  readonly Description?: {
    readonly Hostname?: string;
    readonly Engine?: { readonly EngineVersion?: string };
  };
  readonly Status: {
    readonly State: string;
    /** Why it is down, or what does not work there. */
    readonly Message?: string;
    readonly Addr?: string;
  };
  readonly ManagerStatus?: {
    readonly Leader?: boolean;
    readonly Reachability: string;
    readonly Addr: string;
  };
};

export type ApiInfo = {
  readonly Swarm: {
    readonly NodeID: string;
    readonly LocalNodeState: string;
    readonly ControlAvailable: boolean;
  };
};
