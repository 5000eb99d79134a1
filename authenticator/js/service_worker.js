// Keeps the authenticator for a phone without network: the page and the files that it loads, and nothing else. Answers of
// the server and pages of the practice app never come here. The build fills in the names.
const VERSION = "VERSION";
const FILES = ["FILES"];
const PREFIX = "twofold-authenticator-";
const NAME = PREFIX + VERSION;

addEventListener("install", (event) => {
  // A name with a digest in it is of this version wherever it comes from; the others come past the browser's own cache.
  const isOfOneVersion = (file) => /\.[0-9a-f]{8,}\./.test(file);
  const requests = FILES.map((file) => new Request(file, { cache: isOfOneVersion(file) ? "default" : "reload" }));
  event.waitUntil(caches.open(NAME).then((cache) => cache.addAll(requests)));
});

addEventListener("activate", (event) => {
  const old = caches.keys().then((names) => names.filter((name) => name.startsWith(PREFIX) && name !== NAME));
  event.waitUntil(old.then((names) => Promise.all(names.map((name) => caches.delete(name)))).then(() => clients.claim()));
});

addEventListener("message", ({ data }) => {
  // The person said yes to the new version.
  if (data === "take over") skipWaiting();
});

addEventListener("fetch", (event) => {
  const { method, url } = event.request;
  const { origin, pathname } = new URL(url);
  if (method === "GET" && origin === location.origin && FILES.includes(pathname)) {
    const kept = caches.open(NAME).then((cache) => cache.match(pathname));
    event.respondWith(kept.then((answer) => answer ?? fetch(event.request)));
  }
});
