export interface ConfigDocument {
  content: Record<string, unknown> | null;
}

/** The name that a session's creator gave it, once its configuration was fetched. */
export function nameOf(document: ConfigDocument | null): string | undefined {
  const name = document?.content?.["name"];
  return typeof name === "string" && name ? name : undefined;
}

/** What a session's configuration says of one of its parts, in a word. */
export function detailOf(document: ConfigDocument | null, part: string, field: string): string | undefined {
  const found = document?.content?.[part];
  if (typeof found !== "object" || found === null) return undefined;
  const value = (found as Record<string, unknown>)[field];
  return typeof value === "string" || typeof value === "number" ? String(value) : undefined;
}
