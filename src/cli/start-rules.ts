import type { ServerOptions } from '../core/options.ts';
import { isLoopback, parseListen } from './listen-address.ts';

/** What forbids a start although every single option is fine. */
export function startProblems(options: ServerOptions, command: 'dev' | 'serve'): readonly string[] {
  const problems: string[] = [];
  const { auth, agent, listen, store } = options;
  const address = parseListen(listen);
  if (address === null) problems.push(`Expected \`listen\` to be \`[host]:port\`, such as \`:8787\` or \`127.0.0.1:8787\`, got \`${listen}\``);
  if (auth.mode === 'dev' && address !== null && !isLoopback(address.host)) {
    problems.push(
      `\`auth.mode: dev\` has accounts with known passwords, so it listens on this machine only: set \`listen\` to \`127.0.0.1:${address.port}\`, or \`auth.mode\` to \`jwt\``,
    );
  }
  if (command === 'serve' && auth.origins.length === 0) {
    problems.push('Expected `auth.origins` to name the pages that may connect, such as `https://chat.example.com`; got none');
  }
  if (auth.mode === 'jwt' && (auth.jwtSecret === null) === (auth.jwksUrl === null)) {
    problems.push('`auth.mode: jwt` needs exactly one of `auth.jwtSecret` and `auth.jwksUrl` to check tokens with');
  }
  if (agent.kind === 'openai-compatible') {
    if (agent.baseUrl === null) problems.push('`agent.kind: openai-compatible` needs `agent.baseUrl`, such as `http://127.0.0.1:11434/v1`');
    if (agent.model === null) problems.push('`agent.kind: openai-compatible` needs `agent.model`, as the endpoint spells it');
  }
  if (store !== 'memory' && !/^sqlite:./.test(store)) problems.push(`Expected \`store\` to be \`memory\` or \`sqlite:FILE\`, got \`${store}\``);
  return problems;
}
