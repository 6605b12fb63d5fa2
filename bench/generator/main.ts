/** The load generator: a process of its own, so that a server's figures hold nothing of it. */
import { answer } from '../helper.ts';
import { Generator } from './generator.ts';

const generator = new Generator();

answer({
  connect: (input: Parameters<Generator['connect']>[0]) => generator.connect(input),
  prepare: (input: Parameters<Generator['prepare']>[0]) => generator.prepare(input),
  alive: () => generator.alive(),
  begin: () => generator.begin(),
  traffic: () => generator.traffic(),
  settle: (input: { readonly sent: readonly number[]; readonly quietMs: number }) => generator.settle(input),
  echo: (input: Parameters<Generator['echo']>[0]) => generator.echo(input),
  leave: (input: { readonly abruptly: boolean }) => generator.leave(input.abruptly),
  stopReading: () => generator.stopReading(),
  readAgain: () => generator.readAgain(),
  answers: (isAnswering: boolean) => generator.answers(isAnswering),
  beginFrame: (bytes: number) => generator.beginFrame(bytes),
});
