//! The one place where the authenticator keeps something: an `IndexedDB` of this site. Its secrets are in the sealed file;
//! beside it lie figures that are none.

use js_sys::{Promise, Uint8Array};
use leptos::prelude::window;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{IdbDatabase, IdbOpenDbRequest, IdbRequest, IdbTransactionMode};

const DATABASE: &str = "twofold-authenticator";
const STORE: &str = "vault";
const VERSION: u32 = 1;

/// The sealed file.
const FILE: &str = "file";
/// Milliseconds by which the server's clock is ahead of this device's.
const CLOCK: &str = "server-ahead";
/// Whether the token is hidden until it is tapped.
const HIDES_TOKEN: &str = "hides-token";
/// Whether the PIN is digits.
const HAS_NUMERIC_PIN: &str = "has-numeric-pin";
/// Whether the person has answered if this shall be on the home screen.
const INSTALL_ANSWERED: &str = "install-answered";

/// The browser keeps nothing: private browsing, a full disk, or a person who forbade it.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the browser keeps nothing")]
pub(crate) struct StorageFails;

impl From<JsValue> for StorageFails {
    fn from(_: JsValue) -> Self {
        Self
    }
}

/// The sealed file, if there is one.
pub(crate) async fn load_file() -> Result<Option<Vec<u8>>, StorageFails> {
    let value = get(FILE).await?;
    Ok(value.dyn_into::<Uint8Array>().ok().map(|bytes| bytes.to_vec()))
}

/// Keeps the sealed file; it is on the disk when this returns.
pub(crate) async fn save_file(file: &[u8]) -> Result<(), StorageFails> {
    put(FILE, &Uint8Array::from(file)).await
}

/// Milliseconds by which the server's clock was ahead when it was last asked.
#[expect(clippy::cast_possible_truncation, reason = "JavaScript counts milliseconds in a double")]
pub(crate) async fn load_server_ahead() -> i64 {
    get(CLOCK).await.ok().and_then(|value| value.as_f64()).map_or(0, |millis| millis as i64)
}

/// Keeps that figure, for a start without network.
#[expect(clippy::cast_precision_loss, reason = "JavaScript counts milliseconds in a double")]
pub(crate) async fn save_server_ahead(millis: i64) -> Result<(), StorageFails> {
    put(CLOCK, &JsValue::from_f64(millis as f64)).await
}

/// Whether the token is hidden until it is tapped.
pub(crate) async fn load_hides_token() -> bool {
    get(HIDES_TOKEN).await.ok().and_then(|value| value.as_bool()).unwrap_or(false)
}

/// Keeps that wish.
pub(crate) async fn save_hides_token(hides: bool) -> Result<(), StorageFails> {
    put(HIDES_TOKEN, &JsValue::from_bool(hides)).await
}

/// Whether the PIN is known to be digits.
pub(crate) async fn load_has_numeric_pin() -> bool {
    get(HAS_NUMERIC_PIN).await.ok().and_then(|value| value.as_bool()).unwrap_or(false)
}

/// Keeps that.
pub(crate) async fn save_has_numeric_pin(is_numeric: bool) -> Result<(), StorageFails> {
    put(HAS_NUMERIC_PIN, &JsValue::from_bool(is_numeric)).await
}

/// Whether the person has answered if this shall be on the home screen.
pub(crate) async fn load_install_answered() -> bool {
    get(INSTALL_ANSWERED).await.ok().and_then(|value| value.as_bool()).unwrap_or(false)
}

/// Keeps that.
pub(crate) async fn save_install_answered() -> Result<(), StorageFails> {
    put(INSTALL_ANSWERED, &JsValue::TRUE).await
}

/// Forgets everything.
pub(crate) async fn clear() -> Result<(), StorageFails> {
    let database = open().await?;
    let transaction = database.transaction_with_str_and_mode(STORE, IdbTransactionMode::Readwrite)?;
    finished(&transaction.object_store(STORE)?.clear()?).await?;
    database.close();
    Ok(())
}

/// Asks the browser not to clean this site's data away by itself; whether it agreed.
pub(crate) async fn persist() -> bool {
    let Ok(asked) = window().navigator().storage().persist() else { return false };
    JsFuture::from(asked).await.is_ok_and(|agreed| agreed.is_truthy())
}

/// Whether the browser has agreed to that.
pub(crate) async fn is_persisted() -> bool {
    let Ok(asked) = window().navigator().storage().persisted() else { return false };
    JsFuture::from(asked).await.is_ok_and(|agreed| agreed.is_truthy())
}

async fn get(key: &str) -> Result<JsValue, StorageFails> {
    let database = open().await?;
    let value = finished(&database.transaction_with_str(STORE)?.object_store(STORE)?.get(&key.into())?).await;
    database.close();
    Ok(value?)
}

async fn put(key: &str, value: &JsValue) -> Result<(), StorageFails> {
    let database = open().await?;
    let transaction = database.transaction_with_str_and_mode(STORE, IdbTransactionMode::Readwrite)?;
    transaction.object_store(STORE)?.put_with_key(value, &key.into())?;
    let committed = Promise::new(&mut |resolve, reject| {
        transaction.set_oncomplete(Some(&resolve));
        transaction.set_onabort(Some(&reject));
    });
    let committed = JsFuture::from(committed).await;
    database.close();
    committed?;
    Ok(())
}

async fn open() -> Result<IdbDatabase, StorageFails> {
    let factory = window().indexed_db()?.ok_or(StorageFails)?;
    let request: IdbOpenDbRequest = factory.open_with_u32(DATABASE, VERSION)?;
    let upgraded = request.clone();
    let upgrade = Closure::once(move || {
        if let Ok(database) = upgraded.result().and_then(JsCast::dyn_into::<IdbDatabase>) {
            // Refused only if it exists, and the version says that it does not.
            let _ = database.create_object_store(STORE);
        }
    });
    request.set_onupgradeneeded(Some(upgrade.as_ref().unchecked_ref()));
    let database = finished(&request).await?;
    Ok(database.dyn_into()?)
}

async fn finished(request: &IdbRequest) -> Result<JsValue, JsValue> {
    let settled = Promise::new(&mut |resolve, reject| {
        request.set_onsuccess(Some(&resolve));
        request.set_onerror(Some(&reject));
    });
    JsFuture::from(settled).await?;
    request.result()
}
