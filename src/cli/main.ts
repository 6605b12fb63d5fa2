#!/usr/bin/env node
// No static import: on a Node that is too old even loading the program may crash, so the version is looked at first.

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);

if (major < 22 || (major === 22 && minor < 18)) {
  process.stderr.write(
    `spillway needs Node.js 22.18 or newer; this is ${process.version} (${process.execPath}). Install Node 24, or: npx -p node@24 -p spillway spillway dev\n`,
  );
  process.exit(1);
}

const { runProgram } = await import('./program.ts');
process.exitCode = await runProgram(process.argv.slice(2));

export {};
