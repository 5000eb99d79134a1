//! The answer to a new device.

use app::authenticator::api;

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
