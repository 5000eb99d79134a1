use crate::support::{PASSWORD, PHONE, World, on_both_databases, visitor};
use authority::sign_in;

/// Event, actor, address, factor, session, request.
type Row = (String, String, String, Option<String>, Option<String>, String);

on_both_databases!(
    rows_are_never_changed_or_deleted,
    a_row_says_who_what_where_and_nothing_secret,
    a_skipped_step_is_written_down
);

async fn rows_are_never_changed_or_deleted(world: World) {
    let _ada = world.provider("ada", PHONE).await;
    let rows = world.number("SELECT COUNT(*) FROM audit").await;
    assert!(rows > 0);
    assert!(world.run("UPDATE audit SET event = 'nothing'").await.is_err());
    assert!(world.run("DELETE FROM audit").await.is_err());
    assert_eq!(world.number("SELECT COUNT(*) FROM audit WHERE event <> 'nothing'").await, rows);
}

async fn a_row_says_who_what_where_and_nothing_secret(world: World) {
    let (mut ada, codes) = world.enrolled("ada", PHONE).await;
    let totp = ada.add_app().await;
    let token = totp.token_at(world.authority.now()).expose_digits().to_owned();
    let opened = ada.sign_in_with(&token).await.unwrap();
    let account_id = ada.signed_in().await.account_id().to_owned();
    let rows: Vec<Row> = sqlx::query_as("SELECT event, actor_id, address, factor, session_id, request_id FROM audit")
        .fetch_all(&world.pool)
        .await
        .unwrap();
    assert!(rows.iter().all(|row| row.2 == "192.0.2.1" && row.5 == "test" && row.1 == account_id));
    assert!(rows.iter().any(|row| row.0 == "signed-in" && row.3.as_deref() == Some("totp")));
    let text = format!("{rows:?}");
    for secret in [PASSWORD, &token, &codes[0], opened.session.expose(), PHONE] {
        assert!(!text.contains(secret));
    }
}

async fn a_skipped_step_is_written_down(world: World) {
    let (ada, _) = world.enrolled("ada", PHONE).await;
    let challenge = ada.challenge().await;
    sign_in::note_skipped_step(&world.authority, &visitor(), &challenge).await.unwrap();
    assert_eq!(world.events("step-skipped").await, 1);
}
