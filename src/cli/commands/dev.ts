import { Command } from 'commander';
import { shownValue } from '../../core/option-names.ts';
import type { Resolved } from '../../core/resolve-options.ts';
import { VERSION } from '../../gateway/version.ts';
import { hasChatPage, hasDashboard } from '../chat-pages.ts';
import { loadConfiguration } from '../configuration.ts';
import { addOptionFlags, flagLayer } from '../flags.ts';
import type { AdminKey } from '../ground.ts';
import { parseListen, urlOf } from '../listen-address.ts';
import { openBrowser } from '../open-browser.ts';
import { withExamples } from '../operator-command.ts';
import type { Open } from '../run-server.ts';
import { print } from '../terminal.ts';

interface Flags {
  readonly config?: string;
  readonly open: boolean;
}

/** `spillway dev` */
export function devCommand(): Command {
  const command = new Command('dev').description('Runs a gateway for yourself: this machine only, demo accounts, chat page, dashboard, drills');
  withExamples(command, [
    ['spillway dev', 'on ports 8787 and 8788, or the next that are free'],
    ['spillway dev --data memory', 'keeps nothing'],
    ['spillway dev --agent openai-compatible --agent.base-url http://127.0.0.1:11434/v1 --agent.model llama3.2', 'a model of your own answers'],
  ]);
  command.option('-c, --config <file>', 'YAML, JSON or JavaScript; default: spillway.yaml, .yml, .json or spillway.config.js here');
  command.option('--no-open', 'does not open the chat page in a browser');
  addOptionFlags(
    command,
    ['data', 'limits.perUser', 'timing', 'agent.baseUrl', 'agent.model'],
    ['--port <port>', '--admin-port <port>', '--agent <kind>'],
    '127.0.0.1',
  );
  return command.action(dev);
}

async function dev(flags: Flags, command: Command): Promise<void> {
  const resolved = await loadConfiguration({ command: 'dev', file: flags.config, flags: flagLayer(command), checked: true });
  // Loaded here, so that the other commands start without a gateway in memory.
  const { runServer } = await import('../run-server.ts');
  await runServer({
    resolved,
    orNextPorts: true,
    retry: true,
    ready(open) {
      print(banner(resolved, open));
      if (flags.open && process.stdout.isTTY && !process.env.CI && hasChatPage(resolved.options)) openBrowser(urlOf(open.public));
    },
  });
}

/** What a newcomer needs to go on. Names only what works. */
function banner({ options }: Resolved, open: Open): string {
  const url = urlOf(open.public);
  const demo = options.auth.mode === 'dev';
  const facts = [
    'dev: loopback only',
    `store ${options.store === 'memory' ? 'memory' : options.store.startsWith('sqlite:') ? shortPath(options.store.slice('sqlite:'.length)) : String(shownValue(options.store))}`,
    ...(demo ? ['demo accounts'] : []),
    ...(options.drills ? ['drills on'] : []),
  ];
  const lines = [`Spillway ${VERSION}   ${facts.join(' · ')}`];
  const moved = movedFrom(options, open);
  if (moved !== null) lines.push(`  Ports      ${moved} were not both free; these are the next that are`);
  if (hasChatPage(options)) lines.push(`  Chat       ${url}/${demo ? '   log in as ada / spillway (filled in), ask anything' : ''}`);
  if (hasDashboard(options)) lines.push(`  Dashboard  ${dashboardOf(open)}`);
  lines.push(`  Native     ${url.replace('http', 'ws')}/v1/ws`);
  lines.push(`  Admin      ${urlOf(open.admin)}/admin/api/v1   ${keyOf(open.adminKey)}`);
  lines.push('  Config     spillway config show --dev');
  lines.push(...tries(options).map((line, i) => `  ${i === 0 ? 'Try' : '   '}        ${i + 1} ${line}`));
  return lines.join('\n');
}

/** What shows best what this is about. */
function tries(options: Resolved['options']): string[] {
  const hasChat = hasChatPage(options);
  return [
    ...(options.drills ? [`${hasDashboard(options) ? 'Dashboard > Drills > "frozen tabs", or ' : ''}spillway drill run frozen-tabs`] : []),
    ...(hasChat ? ['ask, and reload in the middle of the answer'] : []),
    ...(hasChat && options.store !== 'memory' ? ['Ctrl-C, start again: the conversation goes on'] : []),
  ];
}

/** On a terminal the key stands in the link, behind `#`, which browsers keep to themselves. It is repeated into no log, and a key of the
 *  operator's own nowhere. */
function dashboardOf({ admin, adminKey }: Open): string {
  const url = `${urlOf(admin)}/`;
  const isShown = adminKey.from === 'nowhere' || (adminKey.from === 'file' && process.stdout.isTTY);
  return isShown ? `${url}#k=${encodeURIComponent(adminKey.key)}   the key is in the link` : `${url}   ${keyOf(adminKey)}`;
}

/** The ports that were asked for, unless they are the ones that are open. */
function movedFrom({ listen, admin }: Resolved['options'], open: Open): string | null {
  const wanted = [parseListen(listen)?.port, parseListen(admin.listen)?.port];
  const isMoved = wanted.some((port, i) => port !== 0 && port !== [open.public.port, open.admin.port][i]);
  return isMoved ? wanted.join(' and ') : null;
}

/** Where the key is; the key itself only where it would be lost otherwise, and ends with this process. */
function keyOf(admin: AdminKey): string {
  switch (admin.from) {
    case 'option':
      return 'key: admin.token';
    case 'file':
      return `key in ${shortPath(admin.file)}`;
    case 'nowhere':
      return `key ${admin.key}`;
  }
}

const shortPath = (path: string): string => path.replace(/^(?=[^/])/, './');
