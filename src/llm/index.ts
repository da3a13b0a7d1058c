export { type AgentOptions, DurableAgent, type ToolLoopOptions } from "./agent.ts";
export { call, callMessages, callMessagesParse, callParse } from "./call.ts";
export { AgentContext, type AgentContextData } from "./conversation.ts";
export { type DurableCall, defineDurableCall } from "./define-call.ts";
export { type DurableModelOptions, durableModel } from "./durable-model.ts";
export { type DurableToolOptions, durableTool, durableTools, type ToolRequest } from "./durable-tool.ts";
export { ModelCallError, type ModelName, ModelOutputError, ToolNotFoundError } from "./errors.ts";
export { type ExecuteOptions, executeToolCalls } from "./execute-tools.ts";
export { assistantMessage, type Message, systemMessage, toolMessage, userMessage } from "./messages.ts";
export { type DurableResponse, hasToolCalls, parseStructured } from "./response.ts";
export type { ModelChunk, ModelObject, ModelRequest, ProviderModel } from "./sdk.ts";
export {
  type AppDefaults,
  type CallRequest,
  type CallSettings,
  clearAppDefaults,
  getAppDefaults,
  type ModelProvider,
  type ModelSettings,
  setAppDefaults,
} from "./settings.ts";
export type { StepCompensation, StepSettings } from "./step-settings.ts";
export { type AnyTool, defineTool, type LlmTool, type ToolCall, type ToolOptions } from "./tool.ts";
export { getUsage, type TokenUsage, type TotalUsage, usageSoFar } from "./usage.ts";
