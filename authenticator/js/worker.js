// Derives keys beside the page, which stays usable meanwhile. It runs the page's own program; the build fills in its names.
import start, { derive } from "AUTHENTICATOR_JS";

const started = start({ module_or_path: "AUTHENTICATOR_WASM" });

addEventListener("unhandledrejection", ({ reason }) => {
  // So that the page hears of it as of any other error here.
  throw reason;
});

addEventListener("message", async ({ data: { password, salt, memory, passes } }) => {
  await started;
  postMessage({ key: derive(password, salt, memory, passes) });
});
