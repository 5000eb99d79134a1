//! What the device knows, and which screen is shown.

use core::pin::Pin;
use std::sync::Arc;

use app::authenticator::{DeviceView, RequestView, StepView};
use app::browser::local_now;
use app::{AppError, Zone};
use async_lock::{Mutex, MutexGuardArc};
use domain::Timestamp;
use leptos::prelude::*;
use leptos::task::spawn_local;
use vault::{AccountId, Contents};

use crate::browser::install::Offer;
use crate::browser::turns::{self, PageTurn};
use crate::flows::backup::Saving;
use crate::flows::keeper::{OpenVault, Proven};

/// Which screen is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Screen {
    /// Nothing yet: the storage is being read.
    Starting,
    /// No account is here.
    Empty,
    /// Cell phone and e-mail of the token account.
    Phone,
    /// How the code shall come.
    Channel,
    /// The code that came.
    Code,
    /// Another device has to approve this one, which shows the number.
    Waiting {
        number: u32,
    },
    /// A recovery code in place of the approval.
    Recovery,
    /// The first PIN.
    SetPin,
    /// The PIN, or the backup password.
    Unlock,
    /// The PIN is forgotten, or was wrong ten times: the backup password, or to begin anew.
    WithoutPin,
    /// The PIN or the phone's own lock once more, before what an open device in another's hand must not do.
    Prove(Purpose),
    /// Whether to keep a backup.
    OfferBackup(Proven),
    /// The backup password of the backup that the server has.
    Restore,
    /// Whether the backup password is still known.
    Recall,
    /// One account large, the others in the dock.
    Token,
    /// All accounts, to search and to change.
    Accounts,
    /// Which way to add an account.
    Add,
    /// By a setup key that is typed.
    AddKey,
    /// By a QR code.
    Scan,
    /// A new device asks to be approved.
    Approve(RequestView),
    Settings,
    Devices,
    Export(Proven),
    Import,
    ChangeBackup,
    /// Another backup password in place of the forgotten one.
    ReplaceBackup(Proven),
    ChangePin(Proven),
}

/// What the owner of an open device proves it for: whatever would open the vault, or what is in it, to somebody else too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Another PIN.
    ChangePin,
    /// The platform's own lock beside the PIN.
    AddPlatform,
    /// A first backup, whose password opens the vault too.
    TurnOnBackup,
    /// Another backup password in place of a forgotten one.
    ReplaceBackup,
    /// A file under a password of its own.
    Export,
    /// A token account in a vault that was here before: its backup would have what is in the vault.
    Register,
}

/// What is known of the backup and of the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sync {
    /// The server has not been asked yet.
    Unknown,
    /// The server is being asked.
    UnderWay,
    /// There is no network, or no answer.
    Offline,
    /// The server answered, and refused.
    Refused(AppError),
    /// The server was asked; what was changed since lies here only.
    Unsaved,
    /// Nothing is kept elsewhere.
    NotBackedUp,
    /// What the server keeps is not what this device has saved, or seen, last.
    OldBackup,
    /// The backup has all that is here.
    BackedUp(Timestamp),
}

/// An account as the screens show it; its key stays in the vault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Shown {
    pub(crate) id: AccountId,
    /// The larger name: the issuer, or the name where there is none.
    pub(crate) title: String,
    /// Whether it is at a practice, so that no other device has it.
    pub(crate) is_practice: bool,
    /// The name at the issuer.
    name: String,
}

impl Shown {
    /// The smaller name, where it says more than the larger one.
    pub(crate) fn second_name(&self) -> Option<String> {
        (self.name != self.title).then(|| self.name.clone())
    }

    /// The letter in its tile.
    pub(crate) fn initial(&self) -> String {
        self.title.chars().next().map(|first| first.to_uppercase().collect()).unwrap_or_default()
    }
}

/// A registration under way.
#[derive(Clone, Debug, Default)]
pub(crate) struct Registration {
    pub(crate) phone: String,
    pub(crate) email: String,
    /// Its key, once it has begun.
    pub(crate) key: String,
    /// What the server gave once it was ready.
    pub(crate) ready: Option<StepView>,
}

/// What has happened to the token account elsewhere.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct News {
    /// The names of devices that were added, with commas between.
    pub(crate) devices: String,
    /// How many accounts were deleted on another device.
    pub(crate) deleted: usize,
}

/// The turn with the file on the disk, until it is dropped.
#[must_use = "it ends when it is dropped"]
pub(crate) struct Turn {
    _among_pages: PageTurn,
    _here: MutexGuardArc<()>,
}

/// What the page says besides what is on its screen.
#[derive(Clone, Debug, Default)]
struct Said {
    /// What it is called, for the tab and for screen readers.
    title: &'static str,
    /// What went wrong.
    failure: Option<String>,
    /// The field that this is about.
    wrong_field: Option<&'static str>,
    /// What went well.
    status: Option<String>,
}

/// The device. Cheap to copy: all of it lies in the arena of the page.
#[derive(Clone, Copy)]
pub(crate) struct Model {
    pub(crate) screen: RwSignal<Screen>,
    /// The public half of the accounts, in their order.
    pub(crate) accounts: RwSignal<Vec<Shown>>,
    /// The account that is shown large.
    pub(crate) chosen: RwSignal<Option<AccountId>>,
    pub(crate) sync: RwSignal<Sync>,
    /// What the server said last.
    pub(crate) device: RwSignal<Option<DeviceView>>,
    /// Milliseconds by which the server's clock is ahead of this device's.
    pub(crate) server_ahead: RwSignal<i64>,
    /// A newer version of the page is here.
    pub(crate) update: RwSignal<bool>,
    /// Whether the token is hidden until it is tapped.
    pub(crate) hides_token: RwSignal<bool>,
    /// Whether the PIN is digits, so that a keypad does for it.
    pub(crate) has_numeric_pin: RwSignal<bool>,
    /// Whether the browser has promised not to clean the vault away.
    pub(crate) is_persisted: RwSignal<bool>,
    /// How the browser puts this page onto the home screen.
    pub(crate) install: Offer,
    /// What has happened to the token account elsewhere, until the person has read it.
    pub(crate) news: RwSignal<News>,
    /// An account that was deleted, and its place: as long as it can be brought back.
    pub(crate) deleted: RwSignal<Option<String>>,
    pub(crate) registration: StoredValue<Registration>,
    /// When the next code may be asked for.
    pub(crate) next_send_at: RwSignal<Timestamp>,
    /// Whether a backup is on its way.
    pub(crate) saving: StoredValue<Saving>,
    /// The open vault; none while it is locked.
    pub(crate) vault: StoredValue<Option<OpenVault>, LocalStorage>,
    keeping: StoredValue<Arc<Mutex<()>>>,
    worker: StoredValue<String>,
    busy: RwSignal<bool>,
    said: RwSignal<Said>,
}

impl Model {
    /// A device that knows nothing yet. `worker` is the address of the script in which keys are derived.
    pub(crate) fn new(worker: String) -> Self {
        Self {
            screen: RwSignal::new(Screen::Starting),
            accounts: RwSignal::default(),
            chosen: RwSignal::default(),
            sync: RwSignal::new(Sync::Unknown),
            device: RwSignal::default(),
            server_ahead: RwSignal::new(0),
            update: RwSignal::new(false),
            hides_token: RwSignal::new(false),
            has_numeric_pin: RwSignal::new(false),
            is_persisted: RwSignal::new(true),
            install: Offer::new(),
            news: RwSignal::default(),
            deleted: RwSignal::default(),
            registration: StoredValue::default(),
            next_send_at: RwSignal::new(Timestamp::from_millis(0)),
            saving: StoredValue::default(),
            vault: StoredValue::new_local(None),
            keeping: StoredValue::default(),
            worker: StoredValue::new(worker),
            busy: RwSignal::new(false),
            said: RwSignal::new(Said { title: "Authenticator", ..Said::default() }),
        }
    }

    /// Shows another screen, with nothing said on it yet.
    pub(crate) fn go(self, screen: Screen) {
        self.quiet();
        self.screen.set(screen);
    }

    /// Where the device is at home: the token, or the way to the first one.
    pub(crate) fn home(self) {
        self.go(if self.accounts.with_untracked(Vec::is_empty) { Screen::Empty } else { Screen::Token });
    }

    /// Takes back what was said.
    pub(crate) fn quiet(self) {
        self.said.update(|said| *said = Said { title: said.title, ..Said::default() });
    }

    /// Says what went wrong.
    pub(crate) fn fail(self, text: impl Into<String>) {
        let failure = Some(text.into());
        self.said.update(|said| *said = Said { title: said.title, failure, ..Said::default() });
    }

    /// Says what is wrong with the field of that id.
    pub(crate) fn fail_in(self, field: &'static str, text: impl Into<String>) {
        let (failure, wrong_field) = (Some(text.into()), Some(field));
        self.said.update(|said| *said = Said { title: said.title, failure, wrong_field, status: None });
    }

    /// Says what the server refused.
    pub(crate) fn refused(self, error: AppError) {
        self.fail(error.text(Zone::Viewer));
    }

    /// Says why the server refused what was typed into the field of that id.
    pub(crate) fn refused_in(self, field: &'static str, error: AppError) {
        self.fail_in(field, error.text(Zone::Viewer));
    }

    /// Says what went well.
    pub(crate) fn say(self, text: impl Into<String>) {
        let status = Some(text.into());
        self.said.update(|said| *said = Said { title: said.title, status, ..Said::default() });
    }

    /// Calls the page by what is on it.
    pub(crate) fn call(self, title: &'static str) {
        self.said.update(|said| said.title = title);
    }

    /// What the page is called now. As on every page a failure comes first.
    pub(crate) fn title(self) -> String {
        self.said.with(|said| [if said.failure.is_some() { "Error: " } else { "" }, said.title, " – Twofold"].concat())
    }

    /// Whether the field of that id is what the failure is about.
    pub(crate) fn is_wrong(self, field: &str) -> bool {
        self.said.with(|said| said.wrong_field == Some(field))
    }

    /// What went wrong.
    pub(crate) fn failure(self) -> Option<String> {
        self.said.with(|said| said.failure.clone())
    }

    /// What went well.
    pub(crate) fn status(self) -> Option<String> {
        self.said.with(|said| said.status.clone())
    }

    /// Whether something is under way.
    pub(crate) fn is_busy(self) -> bool {
        self.busy.get()
    }

    /// Does one thing that takes a while. What is asked meanwhile is ignored.
    pub(crate) fn run(self, work: impl Future<Output = ()> + 'static) {
        self.run_boxed(Box::pin(work));
    }

    /// Without the type of the work, or all of this would be in the program once for each.
    fn run_boxed(self, work: Pin<Box<dyn Future<Output = ()>>>) {
        if self.busy.get_untracked() {
            return;
        }
        self.quiet();
        self.busy.set(true);
        spawn_local(async move {
            work.await;
            self.busy.set(false);
        });
    }

    /// Waits for one's turn with the file on the disk. Each keeps it from reading to writing: of two that had read the same,
    /// the later would write what the earlier has not changed. Other pages of this browser wait too, where it can have them
    /// wait.
    pub(crate) async fn turn(self) -> Turn {
        let here = self.keeping.get_value().lock_arc().await;
        Turn { _among_pages: turns::wait().await, _here: here }
    }

    /// The address of the worker's script.
    pub(crate) fn worker(self) -> String {
        self.worker.get_value()
    }

    /// The time by the server's clock, as far as it is known.
    pub(crate) fn now(self) -> Timestamp {
        Timestamp::from_millis(local_now().millis().saturating_add(self.server_ahead.get_untracked()))
    }

    /// Shows what the vault holds.
    pub(crate) fn show(self, contents: &Contents) {
        let shown: Vec<Shown> = contents
            .accounts()
            .iter()
            .map(|account| {
                let (issuer, name) = (account.issuer.as_str(), account.name.as_str());
                let title = if issuer.is_empty() { name } else { issuer };
                Shown {
                    id: account.id,
                    title: title.to_owned(),
                    is_practice: account.is_practice(),
                    name: name.to_owned(),
                }
            })
            .collect();
        let chosen = self.chosen.get_untracked().filter(|id| shown.iter().any(|shown| shown.id == *id));
        self.chosen.set(chosen.or_else(|| shown.first().map(|first| first.id)));
        self.accounts.set(shown);
    }
}
