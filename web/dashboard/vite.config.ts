import { fileURLToPath } from 'node:url';
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url));

export default defineConfig({
  root: path('.'),
  // The gateway may serve the page below a prefix.
  base: './',
  plugins: [react()],
  resolve: {
    // The package's own public entry: the page is built on what every tool of an operator may use.
    alias: { 'spillway/admin': path('../../src/admin/index.ts') },
    dedupe: ['react', 'react-dom'],
  },
  build: {
    outDir: path('../../dist/web/dashboard'),
    emptyOutDir: true,
    // The content security policy allows neither data: nor inline.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    target: 'es2023',
    cssTarget: ['chrome123', 'firefox120', 'safari17.5'],
    reportCompressedSize: true,
  },
});
