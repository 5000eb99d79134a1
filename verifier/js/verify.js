// Verifies the file that somebody chooses. The file stays in the browser. The build fills in the names of the program.
import start, { Verification } from "VERIFIER_JS";

const input = document.getElementById("audit-file");
const verdict = document.getElementById("audit-verdict");
let latest;

async function verify(file) {
  const verification = new Verification();
  const pieces = file.stream().pipeThrough(new TextDecoderStream()).getReader();
  for (;;) {
    const { done, value } = await pieces.read();
    if (done) return verification.finish();
    verification.push(value);
  }
}

function say(text, outcome) {
  verdict.textContent = text;
  verdict.dataset.outcome = outcome;
}

input.addEventListener("change", async () => {
  const [file] = input.files;
  latest = file;
  if (!file) return say("", "none");
  say(`Verifying ${file.name} …`, "busy");
  let outcome;
  try {
    outcome = await verify(file);
  } catch {
    outcome = { isUnbroken: false, text: "The file cannot be read." };
  }
  // Another may have been chosen meanwhile.
  if (latest === file) say(`${file.name}: ${outcome.text}`, outcome.isUnbroken ? "unbroken" : "broken");
});

await start({ module_or_path: "VERIFIER_WASM" });
// From here on a choice is answered, without the network too.
input.disabled = false;
