/** What went wrong, in the words of whoever knows, and what to do. */
export class Problem extends Error {
  constructor(
    message: string,
    readonly hint = "",
    readonly code = "",
  ) {
    super(message);
  }
}

/** The server could not be reached at all. */
export class Unreachable extends Problem {
  constructor() {
    super(
      "The API server does not answer",
      "Is parity-server running? This page tries again by itself.",
      "unreachable",
    );
  }
}

interface ProblemDocument {
  type?: string;
  title?: string;
  detail?: string;
  hint?: string;
}

/** Send a request to this page's own server and give the JSON of its answer. */
export async function request<T>(path: string, init: RequestInit = {}): Promise<T> {
  let answer: Response;
  try {
    answer = await fetch(path, init);
  } catch (error) {
    if (init.signal?.aborted) throw error;
    throw new Unreachable();
  }
  const text = await answer.text();
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch {
    throw new Problem(
      `${path} answered ${answer.status} and no JSON`,
      "A proxy between may have answered instead.",
    );
  }
  if (!answer.ok) {
    const problem = document as ProblemDocument;
    throw new Problem(
      problem.detail ?? problem.title ?? `Status ${answer.status}`,
      problem.hint,
      problem.type,
    );
  }
  return document as T;
}
