// The twenty-first tab: a user's seats are all taken, five of them by frozen tabs. What happens to who comes next, and why?
// docs/twenty-first-tab.md walks through it. Needs a running gateway:  npm start -- --cleanup.proactive=false
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { adminOf } from './admin.mjs';
import { tablesOf } from './table.mjs';

const { values: options } = parseArgs({
  options: {
    url: { type: 'string', default: 'http://127.0.0.1:8787' },
    admin: { type: 'string', default: 'http://127.0.0.1:8788' },
    'key-file': { type: 'string', default: '.spillway/admin-key' },
    /** Ends after the tables instead of keeping the tabs open. */
    once: { type: 'boolean', default: false },
  },
});
const USER = 'ada';
const PASSWORD = 'spillway';
const FROZEN = 5;
const TALKING = 3;
/** Proof of death takes 25 seconds at most; the rest is for a slow machine. */
const PROOF_WITHIN_MS = 60_000;
const LOOK_EVERY_MS = 250;
const TAB = fileURLToPath(new URL('tab.mjs', import.meta.url));

const tabs = [];
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => end(0));
process.once('exit', closeTabs);

try {
  await walk();
} catch (error) {
  process.stderr.write(`\n${error.message}\n`);
  end(1);
}
if (options.once) end(0);

async function walk() {
  const ask = await connected();
  const { limits } = await ask('status');
  const token = await logIn();
  const open = await ask(`managers?user=${USER}`);
  if (open.managers.length > 0)
    throw new Error(`${USER} has ${open.managers.length} sessions already: close their pages, or wait two minutes, and start again.`);

  say(`Opening ${limits.perUser} tabs as ${USER}, each a process of its own …`);
  await Promise.all(Array.from({ length: limits.perUser }, (_, i) => openTab(i + 1, token)));
  const { seats, limit } = await ask(`users/${USER}`);
  say(`${seats} of ${limit} seats are taken. ${TALKING} of the tabs are in conversation, the others are just open.`);

  const frozen = tabs.slice(-FROZEN);
  for (const { child } of frozen) child.kill('SIGSTOP');
  const frozenAt = performance.now();
  say(`Froze ${FROZEN} of them with SIGSTOP: ${frozen.map(({ label }) => label).join(', ')}. Their sockets stay open; nobody is behind them.`);
  await deadOrGone(ask, frozen, frozenAt);

  const newcomer = await openTab(limits.perUser + 1, token);
  say(`The ${limits.perUser + 1}st tab connected: seat "${newcomer.seat}", after ${newcomer.tookMs} ms.`);
  await tell(ask, frozen);
}

/** A gateway that answers operators; else an error that says how to start one. */
async function connected() {
  try {
    const ask = adminOf(options.admin, options['key-file']);
    await ask('status');
    return ask;
  } catch (error) {
    throw new Error(
      `Cannot ask the gateway at ${options.admin}: ${error.message}\nStart it first, in another terminal:  npm start -- --cleanup.proactive=false`,
    );
  }
}

async function logIn() {
  const response = await fetch(`${options.url}/v1/auth/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ username: USER, password: PASSWORD }),
  });
  const body = await response.json();
  if (!response.ok) throw new Error(`Cannot log in as ${USER} at ${options.url}: ${body.detail ?? body.title}`);
  return body.accessToken;
}

async function openTab(number, token) {
  const label = `tab ${number}`;
  const child = fork(TAB, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  const tab = { label, child };
  tabs.push(tab);
  child.send({ url: `${options.url}/v1/ws`, token, label, isTalking: number <= TALKING });
  const [told] = await Promise.race([once(child, 'message'), once(child, 'exit').then(([code]) => [{ failed: `it ended with ${code}` }])]);
  if (told.failed !== undefined) throw new Error(`${label} found no seat: ${told.failed}`);
  return Object.assign(tab, told);
}

/** Waits until the gateway has proof that these tabs are dead, or has freed them already. */
async function deadOrGone(ask, frozen, frozenAt) {
  let told = '';
  for (;;) {
    const { managers } = await ask(`managers?user=${USER}`);
    const verdicts = frozen.map(({ manager }) => managers.find(({ managerId }) => managerId === manager)?.verdict ?? 'gone');
    const passedMs = performance.now() - frozenAt;
    const now = [...new Set(verdicts)].map((verdict) => `${verdicts.filter((one) => one === verdict).length} ${verdict}`).join(', ');
    if (now !== told) say(`  after ${(passedMs / 1_000).toFixed(1).padStart(4)} s the gateway says of them: ${now}`);
    told = now;
    if (verdicts.every((verdict) => ['zombie', 'inactive', 'gone'].includes(verdict))) return;
    if (passedMs > PROOF_WITHIN_MS) throw new Error(`The gateway still has no proof after ${PROOF_WITHIN_MS / 1_000} s. Please report this.`);
    await delay(LOOK_EVERY_MS);
  }
}

/** Why each of the frozen went, or did not have to, and everybody else stayed. */
async function tell(ask, frozen) {
  const { cleanups } = await ask(`cleanup/history?user=${USER}&limit=20`);
  const wentIn = (tab) => cleanups.find(({ cleanup }) => cleanup.victims.some(({ managerId }) => managerId === tab.manager));
  const nameOf = (id) => tabs.find(({ manager }) => manager === id)?.label ?? '?';
  const records = new Set(frozen.map(wentIn).filter((record) => record !== undefined));
  for (const { cleanup } of records) say(`\n${tablesOf(cleanup, nameOf)}`);
  for (const tab of frozen.filter((one) => wentIn(one) === undefined)) {
    const { verdict, goesAt, text } = await ask(`managers/${tab.manager}/explain`);
    say(`\n  ${tab.label} is ${verdict} and nobody needed its seat; level ${goesAt} would take it. ${text}`);
  }
  const url = `${options.admin}/admin/api/v1`;
  say(`\nThe same with curl, in another terminal:
  KEY=$(cat ${options['key-file']})
  curl -H "Authorization: Bearer $KEY" "${url}/cleanup/history?user=${USER}&pretty"
  curl -H "Authorization: Bearer $KEY" "${url}/managers/${tabs[0].manager}/explain?pretty"
  curl -H "Authorization: Bearer $KEY" "${url}/users/${USER}?pretty"`);
  if (!options.once) say('\nThe tabs stay open, so that you can look around. Ctrl-C closes them.');
}

function say(text) {
  process.stdout.write(`${text}\n`);
}

/** A stopped process takes no other signal before it goes on. */
function closeTabs() {
  for (const { child } of tabs.splice(0)) {
    child.kill('SIGCONT');
    child.kill('SIGKILL');
  }
}

function end(code) {
  closeTabs();
  process.exit(code);
}
