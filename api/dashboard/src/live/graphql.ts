import { Problem, request } from "./problem";

interface GraphqlError {
  message: string;
  extensions?: { code?: string; hint?: string };
}

export interface GraphqlAnswer<T> {
  data?: T | null;
  errors?: readonly GraphqlError[];
}

export type Variables = Record<string, unknown>;

/** The data of an answer; a Problem if it has errors instead. */
export function dataOf<T>(answer: GraphqlAnswer<T>): T {
  const error = answer.errors?.[0];
  if (error) throw new Problem(error.message, error.extensions?.hint, error.extensions?.code);
  if (!answer.data) throw new Problem("The answer holds no data");
  return answer.data;
}

/** Run a query. */
export async function ask<T>(query: string, variables: Variables = {}, signal?: AbortSignal): Promise<T> {
  const answer = await request<GraphqlAnswer<T>>("/graphql", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ query, variables }),
    ...(signal ? { signal } : {}),
  });
  return dataOf(answer);
}
