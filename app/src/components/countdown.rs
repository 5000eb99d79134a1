//! How long the shown token still lives: a number, a bar, and a word at the end (ux.md section 4).

use domain::Timestamp;
use domain::countdown::{Countdown as State, ENDS_SOON_SECONDS, Milestone};
use leptos::prelude::*;

use crate::browser;
use crate::browser::ticker::every_second;
use crate::erase::{Erase, live, live_attribute};

/// What else wants to know the time.
pub(crate) type OnTick = Box<dyn Fn(Timestamp) + Send + Sync>;

/// The countdown to the next period. The server sends it without a number; the browser fills it in.
#[component]
pub(crate) fn Countdown(
    /// What the number means: "Your token expires in".
    label: &'static str,
    /// The server's time.
    now: Timestamp,
    /// Seconds of a period.
    period: u32,
    /// Is told each second.
    #[prop(default = None)]
    on_tick: Option<OnTick>,
) -> AnyView {
    // Zero until the first second is known.
    let seconds = RwSignal::new(0);
    let said = RwSignal::new("");
    let on_tick = StoredValue::new(on_tick);
    Effect::new(move |_| {
        every_second(now, move |now| {
            let state = State::at(now, period);
            if seconds.get_untracked() != state.seconds() + 1 {
                // The first number, a new period, or some numbers were left out: the bar starts where the number is.
                browser::run_bar("countdown-bar", state);
            }
            seconds.set(state.seconds());
            on_tick.with_value(|tell| tell.as_ref().map(|tell| tell(now)));
            if let Some(milestone) = state.milestone()
                && browser::is_focused("token")
            {
                said.set(milestone_text(milestone));
            }
        });
    });
    let ends_soon = move || (1..=ENDS_SOON_SECONDS).contains(&seconds.get());
    let number = move || match seconds.get() {
        0 => Some("–".to_owned()),
        left => Some(left.to_string()),
    };
    view! {
        <div class="countdown js" role="timer" aria-live="off" data-soon=live_attribute("", ends_soon)>
            <span>
                {label}" "<strong>{live(number)}" s"</strong>
                {live(move || ends_soon().then(|| " · Ends soon".to_owned()))}
            </span>
            <span class="bar" aria-hidden="true"><i id="countdown-bar"></i></span>
        </div>
        <p class="unseen" aria-live="polite">{live(move || Some(said.get().to_owned()))}</p>
    }
    .erase()
}

/// What a screen reader is told.
pub const fn milestone_text(milestone: Milestone) -> &'static str {
    match milestone {
        Milestone::TenSeconds => "10 seconds left",
        Milestone::FiveSeconds => "5 seconds left",
        Milestone::NewToken => "New token",
    }
}
