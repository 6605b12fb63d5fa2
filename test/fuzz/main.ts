// Fuzzes the codec and the handshake: what strangers may send to a gateway, and what an agent may yield.
//   npm run test:fuzz -- [--inputs 1000000] [--seed N] [--json FILE]
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { type CodecPart, fuzzCodec } from './codec.ts';
import { fuzzGateway, type GatewayReport, megabytes } from './gateway.ts';

const CODEC_SHARE = 0.8;
const WARM_UP_SHARE = 0.1;

const { values } = parseArgs({ options: { inputs: { type: 'string', default: '1000000' }, seed: { type: 'string' }, json: { type: 'string' } } });
const inputs = Number(values.inputs);
const seed = values.seed === undefined ? Date.now() % 1_000_000_007 : Number(values.seed);
if (!Number.isSafeInteger(inputs) || inputs < 100 || !Number.isSafeInteger(seed)) {
  process.stderr.write(`Expected --inputs (from 100) and --seed to be whole numbers, got ${values.inputs} and ${values.seed ?? seed}.\n`);
  process.exit(2);
}
const say = (text: string): void => void process.stdout.write(`${text}\n`);
const count = (n: number): string => n.toLocaleString('en');

say(`Fuzzing with ${count(inputs)} inputs; again: npm run test:fuzz -- --inputs ${inputs} --seed ${seed}\n`);
say('The codec, in this process');
const parts = fuzzCodec(Math.round(inputs * CODEC_SHARE), seed, ({ name, inputs: n, tookMs, slowestMs }: CodecPart) =>
  say(`  ${count(n).padStart(9)}  ${name} (${(tookMs / 1_000).toFixed(1)} s, slowest input ${slowestMs} ms)`),
);
say('\nThe gateway, in a process of its own, beside a neighbour');
const onWire = inputs - parts.reduce((sum, part) => sum + part.inputs, 0);
const warmUp = Math.max(100, Math.round(onWire * WARM_UP_SHARE));
const wire = await fuzzGateway({ inputs: Math.max(100, onWire - warmUp), warmUp, seed, tell: (text) => say(`  ${text}`) });
tellWire(wire);
if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify({ inputs, seed, node: process.version, codec: parts, warmUp, wire }, null, 2)}\n`);
process.exitCode = wire.findings.length === 0 ? 0 : 1;

function tellWire(w: GatewayReport): void {
  for (const [place, n] of Object.entries(w.inputs)) say(`  ${count(n).padStart(9)}  ${place}`);
  say(`  over ${count(w.connections)} connections in ${(w.tookMs / 1_000).toFixed(1)} s`);
  const answers = Object.entries(w.answers).sort(([, a], [, b]) => b - a);
  say(`  answers: ${answers.map(([what, n]) => `${what} ${count(n)}`).join(', ')}`);
  for (const [name, l] of [
    ['before', w.calm],
    ['during', w.stormy],
  ] as const)
    say(`  the neighbour's checks ${name}: ${l.checks}, p50 ${l.p50Ms} ms, p99 ${l.p99Ms} ms, at most ${l.maxMs} ms`);
  say(`  the neighbour read ${count(w.neighbour.events)} events and ${count(w.neighbour.answers)} answers`);
  say(`  heap and buffers: ${megabytes(w.heldBefore)} before, ${megabytes(w.heldAfter)} after`);
  for (const finding of w.findings) say(`  FOUND ${finding}`);
  say(w.findings.length === 0 ? '\nNothing was found.' : `\n${w.findings.length} findings.`);
}
