export type { GuardOptions, TokenOwner } from "./guard.ts";
export type { McpHttpOptions } from "./http.ts";
export type { JsonSchema } from "./json-schema.ts";
export { stderrLogger } from "./logger.ts";
export { definePrompt, type Prompt, type PromptOptions } from "./prompts.ts";
export { createMcpServer, type WorkflowServer, type WorkflowServerOptions } from "./server.ts";
export type { SessionOptions } from "./sessions.ts";
export type { StdioConnection } from "./stdio.ts";
export {
  type ExposableWorkflow,
  type Verb,
  type WorkflowTools,
  type WorkflowToolsOptions,
  workflowTools,
} from "./workflow-tools.ts";
