//! What a test has in place of the world.

use std::sync::Mutex;

use app::AssetPaths;
use authority::entropy::Entropy;
use axum::body::Bytes;
use server::assets::Site;

/// The same bytes in every run (the generator `SplitMix64`), so that a failure can be looked at again.
#[derive(Default)]
pub(crate) struct SeededEntropy(Mutex<u64>);

impl Entropy for SeededEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        let mut state = self.0.lock().expect("no test panics in here");
        for chunk in bytes.chunks_mut(8) {
            *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut mixed = *state;
            mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            chunk.copy_from_slice(&(mixed ^ (mixed >> 31)).to_le_bytes()[..chunk.len()]);
        }
    }
}

/// A site of empty files, so that the tests need no build of the real one.
pub(crate) fn site() -> Site {
    let paths = AssetPaths {
        css: "/pkg/twofold.1.css".to_owned(),
        js: "/pkg/twofold.2.js".to_owned(),
        wasm: "/pkg/twofold.3.wasm".to_owned(),
        authenticator_css: "/pkg/authenticator.1.css".to_owned(),
        authenticator_js: "/pkg/authenticator.2.js".to_owned(),
        authenticator_wasm: "/pkg/authenticator.3.wasm".to_owned(),
        authenticator_worker: "/authenticator/worker.4.js".to_owned(),
        verifier_js: "/pkg/verifier.1.js".to_owned(),
        verifier_wasm: "/pkg/verifier.2.wasm".to_owned(),
        verifier_page: "/pkg/verify.3.js".to_owned(),
    };
    let others = ["/favicon.svg", "/authenticator/service_worker.js"].map(ToOwned::to_owned);
    let names: Vec<String> = paths.all().into_iter().chain(&others).map(|path| path[1..].to_owned()).collect();
    let files = names.into_iter().map(|name| (name, Bytes::from_static(b"content"), [0; 32]));
    Site::from_files(paths, files).expect("a whole site")
}
