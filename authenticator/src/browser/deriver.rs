//! Keys from passwords, in a worker: Argon2id takes up to a second on a phone, and the page stays usable meanwhile.

use js_sys::{JsString, Object, Promise, Reflect, Uint8Array};
use vault::{KdfParameters, Key};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{MessageEvent, Worker, WorkerOptions, WorkerType};

use super::fill_random;

/// The worker did not start, or gave up: most likely for want of memory.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("no key could be derived")]
pub(crate) struct DerivationFails;

impl From<JsValue> for DerivationFails {
    fn from(_: JsValue) -> Self {
        Self
    }
}

/// The key of `password`. `script` is the worker's address. The worker ends with it, and its memory with the worker.
pub(crate) async fn derive(script: &str, password: &str, parameters: &KdfParameters) -> Result<Key, DerivationFails> {
    let options = WorkerOptions::new();
    options.set_type(WorkerType::Module);
    let worker = Worker::new_with_options(script, &options)?;
    let answer = ask(&worker, password, parameters).await;
    worker.terminate();
    let key = Reflect::get(&answer?, &"key".into())?.dyn_into::<Uint8Array>()?.to_vec();
    Key::from_slice(&key).ok_or(DerivationFails)
}

/// A key of `password` under fresh figures, which are kept beside what it opens.
pub(crate) async fn derive_fresh(script: &str, password: &str) -> Result<(KdfParameters, Key), DerivationFails> {
    let parameters = KdfParameters::fresh(&mut fill_random);
    let key = derive(script, password, &parameters).await?;
    Ok((parameters, key))
}

async fn ask(worker: &Worker, password: &str, parameters: &KdfParameters) -> Result<JsValue, JsValue> {
    let question = Object::new();
    let set = |name: &str, value: JsValue| Reflect::set(&question, &name.into(), &value);
    // One password, however a keyboard composes its letters (SP 800-63B-4 §3.1.1.2).
    let password = String::from(JsString::from(password).normalize("NFC"));
    set("password", Uint8Array::from(password.as_bytes()).into())?;
    set("salt", Uint8Array::from(parameters.salt().as_slice()).into())?;
    set("memory", parameters.memory_kib().into())?;
    set("passes", parameters.passes().into())?;
    let answered = Promise::new(&mut |resolve, reject| {
        worker.set_onmessage(Some(&resolve));
        worker.set_onerror(Some(&reject));
    });
    worker.post_message(&question)?;
    let event: MessageEvent = JsFuture::from(answered).await?.dyn_into()?;
    Ok(event.data())
}
