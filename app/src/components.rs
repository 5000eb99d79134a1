//! Small parts of pages. Each returns an erased view, so that it is in the WASM once.

pub(crate) mod copy;
pub(crate) mod countdown;
pub(crate) mod field;
pub(crate) mod frame;
pub(crate) mod icon;
pub(crate) mod layout;
pub(crate) mod messages;
pub(crate) mod methods;
pub(crate) mod note;
pub(crate) mod tabs;
pub(crate) mod token_field;

pub(crate) use copy::Copy;
pub(crate) use countdown::Countdown;
pub(crate) use field::{Field, Kind, ReadOnly};
pub(crate) use icon::Icon;
pub(crate) use layout::{Back, Block, Button, Group, Heading, Hidden, Hint, Link, Section, Step};
pub(crate) use messages::Messages;
pub(crate) use methods::{Methods, SendButtons, StandingNote};
pub(crate) use note::{Info, Warning};
pub(crate) use tabs::{AccountSettings, Tab};
pub(crate) use token_field::TokenField;
