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
    // The package's own public entries, so that the page is built on what every application gets.
    alias: {
      'spillway/client': path('../../src/client/index.ts'),
      'spillway/react': path('../../src/integrations/react.tsx'),
    },
    dedupe: ['react', 'react-dom'],
  },
  build: {
    outDir: path('../../dist/web/chat'),
    emptyOutDir: true,
    // The content security policy allows neither data: nor inline.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    target: 'es2023',
    cssTarget: ['chrome123', 'firefox120', 'safari17.5'],
    reportCompressedSize: true,
  },
});
