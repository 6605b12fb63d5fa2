import { parentPort, workerData } from 'node:worker_threads';
import { type Connection, openConnection } from './connection.ts';
import { explainFailure, isFull, isGround, isLocked } from './failures.ts';
import { type Answer, monotonicMs, type Question, type WorkerSetup } from './messages.ts';
import { createOperations, type Operations, READS } from './operations.ts';

/** How long to leave a locked file alone before the next try. */
const LOCK_RETRY_MS = 20;
/** How long before its caller stops waiting a question is answered with what stood in its way. */
const ANSWER_EARLY_MS = 200;

const setup = workerData as WorkerSetup;
const port = parentPort;
if (port === null) throw new Error('Expected to run as a worker thread; this file is started by sqliteStore().');

let open: { readonly connection: Connection; readonly operations: Operations } | null = null;
/** Questions that met a lock, and the writes that came behind them; the order of writes is kept, reads pass. */
let waiting: Question[] = [];

port.on('message', (question: Question) => {
  if (waiting.length > 0 && !READS.has(question.name as keyof Operations)) waiting.push(question);
  else if (!settle(question)) wait([question]);
});

function wait(questions: Question[]): void {
  waiting = questions;
  if (questions.length > 0) setTimeout(retry, LOCK_RETRY_MS);
}

function retry(): void {
  const rest = waiting;
  waiting = [];
  while (rest[0] !== undefined && settle(rest[0])) rest.shift();
  wait(rest);
}

/** Answers a question. False: the file is locked and there is time to try again. */
function settle(question: Question): boolean {
  const answer = (a: Answer): true => {
    port?.postMessage(a);
    return true;
  };
  try {
    return answer({ id: question.id, value: perform(question) });
  } catch (error) {
    if (isLocked(error)) {
      if (monotonicMs() < question.deadline - ANSWER_EARLY_MS) return false;
    } else if (isFull(error)) {
      open?.connection.reclaim();
    } else if (isGround(error)) {
      // The next question finds the file as it then is.
      reopenLater();
    }
    return answer({ id: question.id, failure: explainFailure(error, setup.file) });
  }
}

function perform(question: Question): unknown {
  if (question.name === 'close') {
    const closing = open;
    open = null;
    closing?.connection.close();
    port?.unref();
    return null;
  }
  if (open === null) {
    const connection = openConnection(setup.file, setup.freshEpoch);
    open = { connection, operations: createOperations(connection) };
  }
  const operation = open.operations[question.name] as (...args: readonly unknown[]) => unknown;
  return operation(...question.args);
}

function reopenLater(): void {
  const broken = open;
  open = null;
  try {
    broken?.connection.database.close();
  } catch {
    // Harmless: the handle of a file that does not work; nothing confirmed depends on it.
  }
}
