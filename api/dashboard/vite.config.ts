import { defineConfig } from "vite";

export default defineConfig({
  base: "/",
  build: {
    // Nothing inline: the server's content security policy allows neither data: URLs nor inline scripts.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    target: "es2022",
  },
});
