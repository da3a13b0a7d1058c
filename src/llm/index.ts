export { type AgentOptions, DurableAgent, type ToolLoopOptions } from "./agent.ts";
export { type CallRequest, call, callMessages, callMessagesParse, callParse } from "./call.ts";
export { AgentContext, type AgentContextData } from "./conversation.ts";
export { type DurableCall, defineDurableCall } from "./define-call.ts";
export { type DurableModelOptions, durableModel } from "./durable-model.ts";
export { type DurableToolOptions, durableTool, durableTools } from "./durable-tool.ts";
export { ModelCallError, type ModelName, ModelOutputError, ToolNotFoundError } from "./errors.ts";
export { assistantMessage, type Message, systemMessage, toolMessage, userMessage } from "./messages.ts";
export { type DurableResponse, hasToolCalls, parseStructured } from "./response.ts";
export type { ModelChunk, ModelObject, ModelRequest, ProviderModel } from "./sdk.ts";
export {
  type AppDefaults,
  type CallSettings,
  clearAppDefaults,
  getAppDefaults,
  type ModelProvider,
  type ModelSettings,
  type StepCompensation,
  type StepSettings,
  setAppDefaults,
} from "./settings.ts";
export {
  type AnyTool,
  defineTool,
  type ExecuteOptions,
  executeToolCalls,
  type LlmTool,
  type ToolCall,
  type ToolOptions,
} from "./tools.ts";
export { getUsage, type TokenUsage, type TotalUsage, usageSoFar } from "./usage.ts";
