import { Command } from 'commander';
import { VERSION } from '../../gateway/version.ts';
import { loadConfiguration } from '../configuration.ts';
import { addOptionFlags, flagLayer } from '../flags.ts';
import { urlOf } from '../listen-address.ts';
import { withExamples } from '../operator-command.ts';

interface Flags {
  readonly config?: string;
  readonly retry: boolean;
}

/** `spillway serve` */
export function serveCommand(): Command {
  const command = new Command('serve').description('Runs a gateway for others');
  withExamples(command, [
    ['spillway serve -c spillway.yaml', 'with the options of a file'],
    ['spillway serve --auth.origins https://chat.example.com --auth.jwks-url https://login.example.com/keys', 'with those of flags'],
    ['spillway serve -c spillway.yaml --store redis://10.0.0.5:6379 --node gw-2', 'one of several gateways that share a Redis'],
    ['spillway serve -c spillway.yaml --store redis://10.0.0.5:6379 --workers 4', 'four of them on this machine, on one port'],
    ['spillway serve -c spillway.yaml --drills', 'where operators may start drills'],
  ]);
  command.option('-c, --config <file>', 'YAML, JSON or JavaScript; default: spillway.yaml, .yml, .json or spillway.config.js here');
  command.option('--no-retry', 'fails if the store cannot be used at the start, instead of waiting for it');
  addOptionFlags(
    command,
    [
      'listen',
      'admin.listen',
      'store',
      'node',
      'workers',
      'data',
      'auth.mode',
      'auth.jwksUrl',
      'auth.origins',
      'agent.kind',
      'limits.perUser',
      'drills',
      'logging.level',
    ],
    ['--port <port>', '--admin-port <port>', '--agent <kind>'],
    '',
  );
  return command.action(serve);
}

async function serve(flags: Flags, command: Command): Promise<void> {
  const resolved = await loadConfiguration({ command: 'serve', file: flags.config, flags: flagLayer(command), checked: true });
  if (resolved.options.workers > 1) {
    const { runWorkers } = await import('../workers.ts');
    process.exitCode = await runWorkers(resolved.options, process.argv.slice(2));
    return;
  }
  // Loaded here, so that the other commands start without a gateway in memory.
  const { runServer } = await import('../run-server.ts');
  // The way to the process that started this one would keep it from ending; whoever closes it ends at once, and as if all were well.
  using _release = { [Symbol.dispose]: () => process.channel?.unref() };
  await runServer({
    resolved,
    orNextPorts: false,
    retry: flags.retry,
    ready(open, telemetry) {
      const url = urlOf(open.public);
      const admin = urlOf(open.admin);
      telemetry.record({ severity: 'INFO', event: 'listening', message: `listening on ${url}, for operators on ${admin}`, url, admin, version: VERSION });
      if (open.adminKey.from === 'nowhere') {
        const message = 'nobody can use the admin API: with `data: memory` its key is kept nowhere; set `admin.token`';
        telemetry.record({ severity: 'WARNING', event: 'admin-key-unknown', message });
      }
    },
  });
}
