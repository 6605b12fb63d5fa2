// Imported by every process that a drill starts: it ends when whoever started it is gone.
process.once('disconnect', () => process.exit());
// Waiting for that keeps nobody from ending by itself.
process.channel?.unref();
