/** From the name of a model to the model, by the provider packages that the user has installed. */
import { MissingPackageError, ValidationError } from "../index.ts";
import type { ModelName } from "./errors.ts";
import { loadSdk, type ModelObject, type ProviderModel } from "./sdk.ts";
import type { AppDefaults, ModelProvider } from "./settings.ts";

interface Package {
  /** Its name in the registry. */
  readonly name: string;
  load(): Promise<ModelProvider>;
}

/** Each takes its key from the environment: ANTHROPIC_API_KEY, OPENAI_API_KEY, GOOGLE_GENERATIVE_AI_API_KEY. */
const PACKAGES: Readonly<Record<string, Package>> = {
  anthropic: { name: "@ai-sdk/anthropic", load: async () => (await import("@ai-sdk/anthropic")).createAnthropic() },
  openai: { name: "@ai-sdk/openai", load: async () => (await import("@ai-sdk/openai")).createOpenAI() },
  google: { name: "@ai-sdk/google", load: loadGoogle },
  // As the models are called.
  gemini: { name: "@ai-sdk/google", load: loadGoogle },
};

async function loadGoogle(): Promise<ModelProvider> {
  return (await import("@ai-sdk/google")).createGoogle();
}

/**
 * The model to call, with the current interface.
 *
 * @throws ValidationError when nobody knows the provider
 * @throws MissingPackageError when its package is not installed
 */
export async function loadModel(
  model: string | ModelObject | undefined,
  name: ModelName,
  providers: AppDefaults["providers"],
): Promise<ProviderModel> {
  const { wrapLanguageModel } = await loadSdk();
  const made =
    typeof model === "object" ? model : (await loadProvider(name.provider, providers)).languageModel(name.model);
  return wrapLanguageModel({ model: made, middleware: [] });
}

async function loadProvider(name: string, providers: AppDefaults["providers"] = {}): Promise<ModelProvider> {
  if (Object.hasOwn(providers, name) && providers[name]) return providers[name];
  const known = Object.hasOwn(PACKAGES, name) ? PACKAGES[name] : undefined;
  if (!known) {
    const names = [...new Set([...Object.keys(providers), ...Object.keys(PACKAGES)])].join(", ");
    throw new ValidationError(
      `There is no provider ${name}; there are ${names}. Add it: \`setAppDefaults(app, { providers: { ... } })\`.`,
    );
  }
  try {
    return await known.load();
  } catch (cause) {
    throw new MissingPackageError(`Models of ${name} need`, known.name, { cause });
  }
}
