//! Pages that are rendered at the same time.

use axum::http::StatusCode;
use tokio::task::JoinSet;

use crate::support::TestApp;

/// The title was once read outside of its request's reactive arena, which panicked whenever another request had used the
/// thread meanwhile.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn pages_rendered_at_once_do_not_disturb_each_other() {
    let app = TestApp::sqlite().await;
    let person = app.provider("ada").await;
    let mut visits = JoinSet::new();
    for _ in 0..20 {
        for path in ["/login", "/signup", "/account/profile", "/account/security", "/account/security/disable"] {
            let mut browser = app.browser_of(&person);
            visits.spawn(async move { (path, browser.get(path).await.status) });
        }
    }
    for (path, status) in visits.join_all().await {
        assert!(matches!(status, StatusCode::OK | StatusCode::FOUND), "{path}: {status}");
    }
}
