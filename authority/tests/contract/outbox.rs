use std::sync::Arc;

use authority::delivery::{Delivery, Gateway, GatewayError, Gateways, Message, Outboxed};
use authority::{outbox, sign_in};
use domain::message::Channel;

use crate::support::{PHONE, World, on_both_databases, visitor};

on_both_databases!(
    messages_are_sealed_and_delivered_once,
    a_text_message_carries_the_origin_bound_line,
    what_no_gateway_takes_is_wiped_and_in_the_trail,
);

/// Takes nothing.
struct Closed;

impl Gateway for Closed {
    fn deliver<'a>(&'a self, _message: &'a Message) -> Delivery<'a> {
        Box::pin(async { Err(GatewayError::Refused("closed".into())) })
    }
}

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

async fn what_no_gateway_takes_is_wiped_and_in_the_trail(world: World) {
    let (ada, _) = world.enrolled("ada", PHONE).await;
    outbox::deliver(&world.authority).await.unwrap();
    world.advance(60);
    let challenge = ada.challenge().await;
    sign_in::request_token(&world.authority, &visitor(), &challenge, Channel::Sms).await.unwrap();
    let authority = world
        .replica_with(Gateways { sms: Arc::new(Closed), voice: Arc::new(Closed), email: Arc::new(Outboxed) })
        .await;
    outbox::deliver(&authority).await.unwrap();
    assert_eq!(world.events("message-failed").await, 0, "it is tried once more");
    world.advance(60);
    for _ in 0..2 {
        outbox::deliver(&authority).await.unwrap();
        world.advance(600);
    }
    assert_eq!(world.events("message-failed").await, 1);
    let own = "SELECT COUNT(*) FROM audit a JOIN account p ON p.id = a.subject_id AND p.practice_id = a.practice_id
        WHERE a.event = 'message-failed' AND p.username = 'ada' AND a.actor_id = 'twofold' AND a.factor = 'sms'";
    assert_eq!(world.number(own).await, 1, "it says whose token it was, and no number");
    assert_eq!(world.number("SELECT COUNT(*) FROM outbox WHERE delivered_at IS NULL AND sealed IS NOT NULL").await, 0);
}
