/** The context of an invocation, as far as the handler looks at it. */
export function invocationOf(awsRequestId: string, remainingMs = 30_000) {
  return { awsRequestId, getRemainingTimeInMillis: () => remainingMs };
}
