//! What travels from a server function to its page: JSON, read twice.
//!
//! The server writes and reads it with serde. The browser has a JSON parser of its own, and reading fields off its
//! objects costs a few dozen bytes each, where `serde_json` and what serde generates were an eighth of the program.
//! [`wire!`] writes both for a struct, so that they cannot differ.

#[cfg(not(feature = "ssr"))]
pub(crate) use browser::{Json, Wire, parse};
#[cfg(feature = "ssr")]
pub(crate) use server::{Json, Wire, parse};

/// Defines a struct that travels. Its fields are `String`, `bool`, `u32`, `Timestamp`, `TokenLengths`, `AppError`, `Json`,
/// other such structs, and `Option` and `Vec` of these.
macro_rules! wire {
    ($(#[$meta:meta])* $vis:vis struct $name:ident {
        $($(#[$field_meta:meta])* $field_vis:vis $field:ident: $ty:ty,)*
    }) => {
        $(#[$meta])*
        #[cfg_attr(feature = "ssr", derive(serde::Serialize, serde::Deserialize))]
        $vis struct $name {
            $($(#[$field_meta])* $field_vis $field: $ty,)*
        }

        #[cfg(not(feature = "ssr"))]
        impl $crate::wire::Wire for $name {
            fn read(json: &$crate::wire::Json) -> Option<Self> {
                let _ = json;
                Some(Self { $($field: $crate::wire::field(json, stringify!($field))?,)* })
            }
        }
    };
}
#[cfg(not(feature = "ssr"))]
pub(crate) use browser::field;
pub(crate) use wire;

#[cfg(feature = "ssr")]
mod server {
    use serde::Serialize;
    use serde::de::DeserializeOwned;

    /// JSON that has been parsed.
    pub(crate) type Json = serde_json::Value;

    /// What travels.
    pub(crate) trait Wire: Serialize + DeserializeOwned {
        /// Reads it; `None` if the JSON has another shape.
        fn read(json: &Json) -> Option<Self> {
            serde_json::from_value(json.clone()).ok()
        }
    }

    impl<T: Serialize + DeserializeOwned> Wire for T {}

    /// Parses and reads.
    pub(crate) fn parse<T: Wire>(text: &str) -> Option<T> {
        serde_json::from_str(text).ok()
    }
}

#[cfg(not(feature = "ssr"))]
mod browser {
    use domain::{Timestamp, TokenLengths};
    use js_sys::{Array, JSON, Reflect};
    use wasm_bindgen::{JsCast, JsValue};

    use crate::error::AppError;

    /// JSON that has been parsed.
    pub(crate) type Json = JsValue;

    /// What travels.
    pub(crate) trait Wire: Sized {
        /// Reads it; `None` if the JSON has another shape.
        fn read(json: &Json) -> Option<Self>;
    }

    /// Parses and reads.
    pub(crate) fn parse<T: Wire>(text: &str) -> Option<T> {
        T::read(&JSON::parse(text).ok()?)
    }

    /// Reads a field of an object.
    pub(crate) fn field<T: Wire>(object: &Json, name: &str) -> Option<T> {
        T::read(&Reflect::get(object, &JsValue::from_str(name)).ok()?)
    }

    impl Wire for Json {
        fn read(json: &Json) -> Option<Self> {
            Some(json.clone())
        }
    }

    impl Wire for String {
        fn read(json: &Json) -> Option<Self> {
            json.as_string()
        }
    }

    impl Wire for bool {
        fn read(json: &Json) -> Option<Self> {
            json.as_bool()
        }
    }

    impl Wire for u32 {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the server sent a u32")]
        fn read(json: &Json) -> Option<Self> {
            json.as_f64().map(|number| number as Self)
        }
    }

    impl Wire for Timestamp {
        #[expect(clippy::cast_possible_truncation, reason = "JavaScript counts milliseconds in a double")]
        fn read(json: &Json) -> Option<Self> {
            json.as_f64().map(|millis| Self::from_millis(millis as i64))
        }
    }

    impl Wire for TokenLengths {
        fn read(json: &Json) -> Option<Self> {
            let digits = |name| u8::try_from(field::<u32>(json, name)?).ok();
            Some(Self::only(digits("shortest")?).or(digits("longest")?))
        }
    }

    impl Wire for AppError {
        fn read(json: &Json) -> Option<Self> {
            Self::from_code(&json.as_string()?)
        }
    }

    impl<T: Wire> Wire for Option<T> {
        fn read(json: &Json) -> Option<Self> {
            if json.is_null() { Some(None) } else { T::read(json).map(Some) }
        }
    }

    impl<T: Wire> Wire for Vec<T> {
        fn read(json: &Json) -> Option<Self> {
            json.dyn_ref::<Array>()?.iter().map(|item| T::read(&item)).collect()
        }
    }
}
