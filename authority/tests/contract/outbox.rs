use authority::{outbox, sign_in};
use domain::message::Channel;

use crate::support::{PHONE, World, on_both_databases, visitor};

on_both_databases!(messages_are_sealed_and_delivered_once, a_text_message_carries_the_origin_bound_line);

async fn messages_are_sealed_and_delivered_once(world: World) {
    let (_ada, _) = world.enrolled("ada", PHONE).await;
    let queued = world.number("SELECT COUNT(*) FROM outbox WHERE delivered_at IS NULL").await;
    let taken = outbox::deliver(&world.authority).await.unwrap();
    assert_eq!(i64::try_from(taken).unwrap(), queued);
    assert_eq!(outbox::deliver(&world.authority).await.unwrap(), 0);
    assert_eq!(world.number("SELECT COUNT(*) FROM outbox WHERE delivered_at IS NULL").await, 0);
    assert!(!outbox::list(&world.authority, Some(PHONE)).await.unwrap().is_empty(), "kept to be read");
    assert!(outbox::list(&world.authority, Some("+12025550199")).await.unwrap().is_empty());
}

async fn a_text_message_carries_the_origin_bound_line(world: World) {
    let (ada, _) = world.enrolled("ada", PHONE).await;
    world.advance(60);
    let challenge = ada.challenge().await;
    sign_in::request_token(&world.authority, &visitor(), &challenge, Channel::Sms).await.unwrap();
    let token = world.latest_token(PHONE).await;
    let message = outbox::list(&world.authority, Some(PHONE)).await.unwrap().swap_remove(0);
    assert_eq!(message.channel, Channel::Sms);
    assert_eq!(message.body.lines().last(), Some(format!("@twofold.test #{token}").as_str()));
    assert!(!message.body.contains("ada") && !message.body.contains("Elm"), "no user or practice name");
}
