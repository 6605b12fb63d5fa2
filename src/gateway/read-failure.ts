import { SpillwayError } from '../protocol/errors.ts';
import { AGENT_FAILURES } from '../protocol/texts.ts';

/** Why a run failed, as its `agent_error` tells it. */
export interface Failure {
  readonly code: string;
  readonly error_message: string;
  readonly recoverable: boolean;
}

/** What an agent threw, in words for the log and for people. It may be anything, also what throws when it is looked at. */
export function readFailure(error: unknown): { readonly message: string; readonly failure: Failure } {
  try {
    const message = error instanceof Error ? error.message : String(error);
    const isTold = SpillwayError.is(error) && error.code === 'SPILLWAY_AGENT_FAILED';
    return { message, failure: isTold ? { code: 'agent_failed', error_message: message, recoverable: error.retry !== 'never' } : AGENT_FAILURES.failed };
  } catch {
    return { message: 'the agent threw what cannot be put into words.', failure: AGENT_FAILURES.failed };
  }
}
