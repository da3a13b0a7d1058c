import "./engine/require-node.ts";

export { type Duration, toMilliseconds } from "./core/duration.ts";
export {
  ActivityError,
  ActivityTimeoutError,
  AppStateError,
  CancelledError,
  ChannelModeConflictError,
  ChannelNotSubscribedError,
  ChannelTimeoutError,
  CompensationError,
  DuplicateNameError,
  EventTimeoutError,
  InstanceConflictError,
  InstanceFinishedError,
  InstanceNotCancellableError,
  InstanceNotFoundError,
  InstanceNotRetryableError,
  MigrationRefusedError,
  MisplacedCallError,
  MissingPackageError,
  NonDeterminismError,
  NothingToCompensateError,
  OperationIdConflictError,
  PublishError,
  QuarantineError,
  ResultTimeoutError,
  RetryLaterError,
  RomancyError,
  SchemaVersionError,
  SerializationError,
  SessionError,
  StoreError,
  TerminalError,
  UnsupportedDatabaseError,
  ValidationError,
  WorkflowFailedError,
  WorkflowNotRegisteredError,
} from "./core/errors.ts";
export { type ErrorMatcher, type RetryPolicy, retryPolicies } from "./core/retry.ts";
export type { InstanceStatus } from "./core/status.ts";
export { Romancy } from "./engine/app.ts";
export type { HistoryEntry } from "./engine/inspection/history-entries.ts";
export type { ExportedInstance, HistoryExport } from "./engine/inspection/history-export.ts";
export type { InstancePage } from "./engine/inspection/listing.ts";
export type { InstanceFilter } from "./engine/inspection/listing-filter.ts";
export type { Finding } from "./engine/operating/finding.ts";
export type { PruneOptions, PruneResult } from "./engine/operating/retention.ts";
export type { RetentionOptions } from "./engine/operating/retention-options.ts";
export type { WorkerInfo } from "./engine/operating/workers.ts";
export type { HttpOptions, RomancyOptions } from "./engine/options.ts";
export type { OutboxOptions } from "./engine/outbox/outbox-options.ts";
export type { ReplayEnd, ReplayResult } from "./engine/replay.ts";
export { toNodeListener } from "./http/node-listener.ts";
export type { ListenOptions } from "./http/server.ts";
export type { MigrationInfo } from "./store/migrate.ts";
export type { MysqlPool, PostgresPool } from "./store/pools.ts";
export { type Activity, type ActivityFunction, defineActivity } from "./workflow/activity.ts";
export type { ActivityContext, Session, SqlValue } from "./workflow/activity-context.ts";
export type { ActivityCallOptions, ActivityOptions } from "./workflow/activity-options.ts";
export type {
  ChannelMode,
  MessageSender,
  PublishOptions,
  ReceivedMessage,
  ReceiveOptions,
  SentMessage,
} from "./workflow/channels.ts";
export { toCloudEventJson } from "./workflow/cloud-event.ts";
export { type Compensation, defineCompensation } from "./workflow/compensation.ts";
export type {
  CompensationContext,
  CompensationDefinition,
  CompensationFunction,
  CompensationOptions,
} from "./workflow/compensation-options.ts";
export type {
  EventInput,
  EventSubscription,
  OutgoingEventInput,
  ReceivedEvent,
  WaitEventOptions,
} from "./workflow/events.ts";
export type { InstanceDescription, InstanceSummary, WaitDescription, WorkflowHandle } from "./workflow/handle.ts";
export type * from "./workflow/hooks.ts";
export type { Logger } from "./workflow/logger.ts";
export type {
  Delivery,
  EventSender,
  Outbox,
  OutboxEntry,
  OutboxFilter,
  OutboxPage,
  OutboxRetryFilter,
  OutboxStatus,
  Publisher,
  PublishFunction,
  SentEvent,
} from "./workflow/outbox.ts";
export type { InputSchema, Schema } from "./workflow/schema.ts";
export type { Startable, StartOptions, WorkflowStarter } from "./workflow/starting.ts";
export type { WaitTarget } from "./workflow/waits.ts";
export {
  type AnyWorkflow,
  type BoundWorkflow,
  defineWorkflow,
  type Workflow,
  type WorkflowFunction,
  type WorkflowOptions,
} from "./workflow/workflow.ts";
export type { WorkflowContext } from "./workflow/workflow-context.ts";
