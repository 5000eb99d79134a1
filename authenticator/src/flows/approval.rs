//! The answer to a new device.

use app::authenticator::api;
use domain::Timestamp;

use super::sync;
use crate::model::Model;

/// Approves the device that shows `number`; none denies it. A wrong number denies it too.
pub(crate) fn answer(model: Model, request: String, number: Option<u32>) {
    let Some(key) = sync::device_key(model) else { return };
    model.run(async move {
        let number = number.map(|number| number.to_string()).unwrap_or_default();
        match api::answer_registration(&key, &request, &number).await {
            Ok(device) => {
                sync::take_in(model, device).await;
                model.home();
                model.say(if number.is_empty() {
                    "The new device was denied."
                } else {
                    "Answered. If the number was the one on the new device, it goes on there now."
                });
            }
            Err(error) => model.refused(error),
        }
    });
}

/// How long ago something was, in words.
pub(crate) fn ago(at: Timestamp, now: Timestamp) -> String {
    let minutes = now.since(at).as_secs() / 60;
    match minutes {
        0 => "just now".to_owned(),
        1 => "1 minute ago".to_owned(),
        2..60 => format!("{minutes} minutes ago"),
        60..120 => "1 hour ago".to_owned(),
        120..2880 => format!("{} hours ago", minutes / 60),
        _ => format!("{} days ago", minutes / 1440),
    }
}
