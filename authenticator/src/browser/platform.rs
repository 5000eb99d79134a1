//! The platform's own lock, by finger, face or code: `WebAuthn` with the extension `prf`, which gives a key that only this
//! device can make again (Web Authentication level 3, §10.1.4). Nothing of it goes to a server.

use js_sys::{Array, Function, Object, Promise, Reflect, Uint8Array};
use leptos::prelude::window;
use vault::lock::Platform;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;

use super::fill_random;

/// The signature algorithms that platforms offer, by their COSE numbers: ES256 and RS256. Nobody checks the signature.
const ALGORITHMS: [i32; 2] = [-7, -257];
const SALT_BYTES: usize = 32;
/// Bytes of the extension's output.
const OUTPUT_BYTES: usize = 32;

/// Whether the browser knows such locks, and the extension: as far as it says.
pub(crate) async fn is_known() -> bool {
    let Ok(class) = Reflect::get(&window(), &"PublicKeyCredential".into()) else { return false };
    class.is_function() && capabilities(&class).await.is_none_or(|capabilities| has_prf(&capabilities))
}

/// What the browser says of itself, where it says anything.
async fn capabilities(class: &JsValue) -> Option<Object> {
    let ask: Function = Reflect::get(class, &"getClientCapabilities".into()).ok()?.dyn_into().ok()?;
    let asked: Promise = ask.call0(class).ok()?.dyn_into().ok()?;
    JsFuture::from(asked).await.ok()?.dyn_into().ok()
}

/// A browser that names no extension at all may have this one all the same.
fn has_prf(capabilities: &Object) -> bool {
    let is_extension = |name: JsValue| name.as_string().is_some_and(|name| name.starts_with("extension:"));
    match Reflect::get(capabilities, &"extension:prf".into()).ok().and_then(|value| value.as_bool()) {
        Some(has_prf) => has_prf,
        None => !Object::keys(capabilities).iter().any(is_extension),
    }
}

/// Asks the platform for a new credential. Returns how to ask again, and the key.
pub(crate) async fn create(name: &str) -> Result<(Platform, [u8; OUTPUT_BYTES]), JsValue> {
    let salt = random::<SALT_BYTES>();
    let kinds: Array =
        ALGORITHMS.into_iter().map(|number| object(&[("type", "public-key".into()), ("alg", number.into())])).collect();
    let user = object(&[("id", bytes(&random::<16>())), ("name", name.into()), ("displayName", name.into())]);
    let selection = object(&[
        ("authenticatorAttachment", "platform".into()),
        ("residentKey", "discouraged".into()),
        ("userVerification", "required".into()),
    ]);
    let options = object(&[
        ("challenge", bytes(&random::<32>())),
        ("rp", object(&[("name", "Twofold Authenticator".into())])),
        ("user", user),
        ("pubKeyCredParams", kinds.into()),
        ("authenticatorSelection", selection),
        ("extensions", prf(&salt)),
    ]);
    let credential = ask("create", &options).await?;
    let id = Uint8Array::new(&Reflect::get(&credential, &"rawId".into())?).to_vec();
    let platform = Platform { credential: id, salt };
    let key = match output(&credential) {
        Some(key) => key,
        // Some platforms give the key only when they are asked the second time.
        None => evaluate(&platform).await?,
    };
    Ok((platform, key))
}

/// Asks the platform for the key again.
pub(crate) async fn evaluate(platform: &Platform) -> Result<[u8; OUTPUT_BYTES], JsValue> {
    let known = object(&[("type", "public-key".into()), ("id", bytes(&platform.credential))]);
    let options = object(&[
        ("challenge", bytes(&random::<32>())),
        ("allowCredentials", Array::of1(&known).into()),
        ("userVerification", "required".into()),
        ("extensions", prf(&platform.salt)),
    ]);
    output(&ask("get", &options).await?).ok_or(JsValue::NULL)
}

async fn ask(what: &str, options: &JsValue) -> Result<JsValue, JsValue> {
    let credentials = Reflect::get(&window().navigator(), &"credentials".into())?;
    let function: Function = Reflect::get(&credentials, &what.into())?.dyn_into()?;
    let asked = function.call1(&credentials, &object(&[("publicKey", options.clone())]))?;
    JsFuture::from(asked.dyn_into::<Promise>()?).await
}

/// What the extension gave, if it gave anything.
fn output(credential: &JsValue) -> Option<[u8; OUTPUT_BYTES]> {
    let results = Reflect::get(credential, &"getClientExtensionResults".into()).ok()?.dyn_into::<Function>().ok()?;
    let mut value = results.call0(credential).ok()?;
    for name in ["prf", "results", "first"] {
        value = Reflect::get(&value, &name.into()).ok().filter(|value| !value.is_undefined())?;
    }
    Uint8Array::new(&value).to_vec().try_into().ok()
}

fn prf(salt: &[u8]) -> JsValue {
    object(&[("prf", object(&[("eval", object(&[("first", bytes(salt))]))]))])
}

fn object(properties: &[(&str, JsValue)]) -> JsValue {
    let object = Object::new();
    for (name, value) in properties {
        // Setting a property of a plain object does not fail.
        let _ = Reflect::set(&object, &JsValue::from_str(name), value);
    }
    object.into()
}

fn bytes(bytes: &[u8]) -> JsValue {
    Uint8Array::from(bytes).into()
}

fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    fill_random(&mut bytes);
    bytes
}
