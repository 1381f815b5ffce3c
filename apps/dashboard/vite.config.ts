import { defineConfig } from 'vite'

/**
 * The page is served by golem's web process under a Content-Security-Policy without inline script or style,
 * and has to work without internet: everything is a file of its own, addressed relative to the page.
 * `dist` belongs to Vite alone (it is emptied at each build); what tsc emits for the unit tests goes to `tsc/dist`.
 */
export default defineConfig({
  base: './',
  build: {
    outDir: 'dist',
    emptyOutDir: true,
    target: 'es2022',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    sourcemap: false,
  },
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
})
