//! The verifier of exported audit trails for the browser: what `twofold audit verify --file` does, where no server is asked.

use trail::Stream;
use wasm_bindgen::prelude::wasm_bindgen;

/// A file on its way through the verifier.
#[wasm_bindgen]
#[derive(Default)]
pub struct Verification(Stream);

/// What it came to.
#[wasm_bindgen]
pub struct Outcome {
    is_unbroken: bool,
    text: String,
}

#[wasm_bindgen]
impl Verification {
    /// Of a file that has not been read yet.
    #[must_use]
    #[wasm_bindgen(constructor)]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next piece of the file.
    pub fn push(&mut self, text: &str) {
        self.0.push(text);
    }

    /// The verdict, at the end of the file.
    #[must_use]
    pub fn finish(self) -> Outcome {
        match self.0.finish() {
            Ok((verdict, _)) => Outcome { is_unbroken: verdict.is_unbroken(), text: verdict.to_string() },
            Err(error) => Outcome { is_unbroken: false, text: error.to_string() },
        }
    }
}

#[wasm_bindgen]
impl Outcome {
    /// Whether every row is as it was sealed.
    #[must_use]
    #[wasm_bindgen(getter, js_name = isUnbroken)]
    pub fn is_unbroken(&self) -> bool {
        self.is_unbroken
    }

    /// The same as a sentence, with the first row that is not.
    #[must_use]
    #[wasm_bindgen(getter)]
    pub fn text(&self) -> String {
        self.text.clone()
    }
}
