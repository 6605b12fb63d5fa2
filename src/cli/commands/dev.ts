import { Command } from 'commander';
import type { Resolved } from '../../core/resolve-options.ts';
import { VERSION } from '../../gateway/version.ts';
import { hasChatPage } from '../chat-pages.ts';
import { loadConfiguration } from '../configuration.ts';
import { addOptionFlags, flagLayer } from '../flags.ts';
import { type ListenAddress, parseListen, urlOf } from '../listen-address.ts';
import { openBrowser } from '../open-browser.ts';
import { print } from '../terminal.ts';

interface Flags {
  readonly config?: string;
  readonly open: boolean;
}

/** `spillway dev` */
export function devCommand(): Command {
  const command = new Command('dev').description('Runs a gateway for yourself: this machine only, demo accounts, chat page');
  command.option('-c, --config <file>', 'YAML, JSON or JavaScript; default: spillway.yaml, .yml, .json or spillway.config.js here');
  command.option('--no-open', 'does not open the chat page in a browser');
  addOptionFlags(command, ['data', 'limits.perUser', 'timing', 'agent.baseUrl', 'agent.model'], ['--port <port>', '--agent <kind>'], '127.0.0.1');
  return command.action(dev);
}

async function dev(flags: Flags, command: Command): Promise<void> {
  const resolved = await loadConfiguration({ command: 'dev', file: flags.config, flags: flagLayer(command), checked: true });
  // Loaded here, so that the other commands start without a gateway in memory.
  const { runServer } = await import('../run-server.ts');
  await runServer({
    resolved,
    orNextPort: true,
    retry: true,
    ready(address) {
      print(banner(resolved, address));
      if (flags.open && process.stdout.isTTY && !process.env.CI && hasChatPage(resolved.options)) openBrowser(urlOf(address));
    },
  });
}

/** What a newcomer needs to go on. Names only what works. */
function banner({ options }: Resolved, address: ListenAddress): string {
  const url = urlOf(address);
  const demo = options.auth.mode === 'dev';
  const facts = ['dev: loopback only', `store ${options.store.replace(/^sqlite:(?=[^/])/, './').replace(/^sqlite:/, '')}`, ...(demo ? ['demo accounts'] : [])];
  const wanted = parseListen(options.listen)?.port;
  const moved = wanted !== 0 && wanted !== address.port ? ` (port ${wanted} was taken)` : '';
  const lines = [`Spillway ${VERSION}   ${facts.join(' · ')}`];
  if (hasChatPage(options)) lines.push(`  Chat    ${url}/${moved}${demo ? '   log in as ada / spillway (filled in), ask anything' : ''}`);
  lines.push(`  Native  ${url.replace('http', 'ws')}/v1/ws${hasChatPage(options) ? '' : moved}`);
  lines.push('  Config  spillway config show --dev');
  if (hasChatPage(options)) {
    lines.push('  Try     1 ask, and reload in the middle of the answer');
    if (options.store !== 'memory') lines.push('          2 Ctrl-C, start again: the conversation goes on');
  }
  return lines.join('\n');
}
