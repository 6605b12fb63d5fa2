import { examplesOf } from '../../src/cli/operator-command.ts';
import { COMMANDS, createProgram } from '../../src/cli/program.ts';

/** docs/cli.md, from the commands themselves. */
export function cliPage() {
  const program = createProgram();
  const sections = COMMANDS.map(([heading, makers]) => {
    const names = makers.map((make) => make().name());
    const commands = program.commands.filter((command) => names.includes(command.name()));
    return `## ${heading.replace(/:$/, '')}\n\n${commands.flatMap((command) => leaves(command, 'spillway')).join('\n')}`;
  });
  return `# The command line

<!-- Made from src/cli by scripts/generate-docs.mjs; change it there. -->

\`spillway\` runs gateways, and asks and steers one that runs. \`spillway COMMAND --help\` tells the same as this page; the
[handbook](handbook/command-line.md) tells what to use when.

| manner | rule |
| --- | --- |
| data, talk | Data goes to standard output, talk to standard error. |
| terminal | Aligned tables that fit its width, with colours; \`NO_COLOR\` takes them away, \`FORCE_COLOR\` gives them everywhere. Ids may be cut off there, and may be given back like that. |
| pipe | Tab-separated values without a head, in the order of the columns and all of them; times in milliseconds, instants in ISO 8601. |
| \`--json\` | What the admin API answers, as \`openapi.json\` describes it; one object a line where it streams. |
| which gateway | \`--url\`, by default http://127.0.0.1:8788, the operators’ port. |
| which key | \`SPILLWAY_ADMIN_TOKEN\`, else the file that \`SPILLWAY_ADMIN_TOKEN_FILE\` names, else \`./.spillway/admin-key\`. |
| changes | What changes something shows a plan and asks; without a terminal it needs \`--yes\`. What was shown is what is done, or nothing is. |
| exit status | 0 done · 1 failed · 2 misuse · 3 no gateway there · 4 refused by policy · 5 partly done. \`check\` alone: 0 good · 1 warning · 2 critical · 3 unknown. |

${sections.join('\n')}`;
}

function leaves(command, path) {
  const here = `${path} ${command.name()}`;
  if (command.commands.length > 0) return command.commands.flatMap((one) => leaves(one, here));
  const words = command.registeredArguments.map((one) => {
    const name = one.variadic ? `${one.name()}...` : one.name();
    return ` ${one.required ? `<${name}>` : `[${name}]`}`;
  });
  const examples = examplesOf(command);
  const width = Math.max(...examples.map(([line]) => line.length));
  const options = command.options.filter(({ hidden }) => !hidden);
  return [
    `### \`${here}${words.join('')}\`

${command.description()}.
${examples.length === 0 ? '' : `\n\`\`\`sh\n${examples.map(([line, what]) => `${line.padEnd(width)}  # ${what}`).join('\n')}\n\`\`\`\n`}
${options.length === 0 ? '' : `| flag | what it does |\n| --- | --- |\n${options.map(row).join('\n')}\n`}`,
  ];
}

function row({ flags, description, defaultValue }) {
  const isTold = defaultValue !== undefined && typeof defaultValue !== 'boolean';
  return `| \`${cell(flags)}\` | ${cell(description)}${isTold ? ` Default: \`${defaultValue}\`.` : ''} |`;
}

function cell(text) {
  return text.replaceAll('|', '\\|');
}
