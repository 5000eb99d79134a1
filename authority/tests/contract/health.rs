//! Whether the authority can decide: the machine's clock is the database's, more or less.

use std::sync::Arc;
use std::time::Duration;

use authority::clock::{Clock, SystemClock};
use authority::health::{self, NotReady};
use domain::Timestamp;

use crate::support::{World, on_both_databases};

on_both_databases!(
    a_clock_that_was_moved_on_purpose_is_no_fault,
    a_clock_that_is_a_little_off_is_told,
    a_clock_that_is_far_off_makes_a_server_unready,
);

/// A machine whose clock is off by so many seconds.
struct Off(i64);

impl Clock for Off {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(SystemClock.now().millis() + self.0 * 1000)
    }
}

async fn a_clock_that_was_moved_on_purpose_is_no_fault(world: World) {
    world.advance(40);
    assert_eq!(health::check(&world.authority).await, Ok(()));
    assert!(health::clock_difference(&world.authority).await.unwrap() < health::WORTH_TELLING);
}

async fn a_clock_that_is_a_little_off_is_told(world: World) {
    for seconds in [-20, 20] {
        let authority = world.replica_at(Arc::new(Off(seconds))).await;
        assert_eq!(health::check(&authority).await, Ok(()));
        assert!(health::clock_difference(&authority).await.unwrap() > health::WORTH_TELLING);
    }
}

async fn a_clock_that_is_far_off_makes_a_server_unready(world: World) {
    for seconds in [-40, 40] {
        let authority = world.replica_at(Arc::new(Off(seconds))).await;
        let refused = health::check(&authority).await;
        let Err(NotReady::Clock(difference)) = refused else { panic!("{refused:?}") };
        assert!(difference > Duration::from_secs(20), "{difference:?}");
        assert!(difference <= Duration::from_secs(41), "{difference:?}");
    }
}
