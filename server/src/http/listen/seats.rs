//! Who is connected, and who has to go when it gets full.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

use super::{HEAD_PATIENCE, Room};

/// How long a connection may be idle after it has asked for something.
const IDLE: Duration = Duration::from_mins(1);
/// How long one that was told to finish may still be idle.
const GRACE: Duration = Duration::from_secs(10);

/// What a connection is told to do. Later ones outrank earlier ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Order {
    /// Nothing.
    Stay,
    /// Answer what has been asked, then end.
    Finish,
    /// End now.
    Leave,
}

/// All connections. Cheap to clone.
#[derive(Clone)]
pub(super) struct Seats {
    room: Room,
    /// Held for a look or a change at a time, never while waiting.
    table: Arc<Mutex<Table>>,
    /// The number of connections, for whoever waits until all have left.
    taken: watch::Sender<usize>,
}

#[derive(Default)]
struct Table {
    /// Seconds since the start, as the sweep counts them.
    second: u64,
    next_number: u64,
    guests: HashMap<u64, Guest>,
}

struct Guest {
    address: IpAddr,
    /// Requests being answered.
    requests: usize,
    has_asked: bool,
    /// The second in which it was last busy.
    idle_since: u64,
    orders: watch::Sender<Order>,
}

impl Guest {
    fn is_leaving(&self) -> bool {
        *self.orders.borrow() == Order::Leave
    }

    fn order(&self, order: Order) {
        self.orders.send_if_modified(|current| {
            let is_stronger = order > *current;
            *current = order.max(*current);
            is_stronger
        });
    }
}

impl Table {
    /// Tells the longest idle of those guests to leave; false if none of them is idle.
    fn evict(&self, among: impl Fn(&Guest) -> bool) -> bool {
        let idle = self.guests.iter().filter(|(_, guest)| guest.requests == 0 && !guest.is_leaving() && among(guest));
        let longest = idle.min_by_key(|(number, guest)| (guest.idle_since, **number));
        longest.map(|(_, guest)| guest.order(Order::Leave)).is_some()
    }

    fn count(&self, among: impl Fn(&Guest) -> bool) -> usize {
        self.guests.values().filter(|guest| !guest.is_leaving() && among(guest)).count()
    }
}

impl Seats {
    pub(super) fn new(room: Room) -> Self {
        Self { room, table: Arc::default(), taken: watch::Sender::new(0) }
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        // The table is whole between any two statements, so a panic elsewhere does not make it wrong.
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A seat for a new connection; an idle one makes room if it must. `None` if all are busy.
    pub(super) fn take(&self, address: IpAddr) -> Option<Seat> {
        let mut table = self.table();
        let is_neighbour = |guest: &Guest| guest.address == address;
        if table.count(is_neighbour) >= self.room.per_address && !table.evict(is_neighbour) {
            return None;
        }
        if table.count(|_| true) >= self.room.total && !table.evict(|_| true) {
            return None;
        }
        let (orders, mine) = watch::channel(Order::Stay);
        let number = table.next_number;
        let guest = Guest { address, requests: 0, has_asked: false, idle_since: table.second, orders };
        table.next_number += 1;
        table.guests.insert(number, guest);
        self.taken.send_replace(table.guests.len());
        Some(Seat { orders: mine, presence: Presence { seats: self.clone(), number } })
    }

    /// Makes the longest idle connection leave, because something else is short.
    pub(super) fn free_one(&self) {
        self.table().evict(|_| true);
    }

    pub(super) fn order_all(&self, order: Order) {
        self.table().guests.values().for_each(|guest| guest.order(order));
    }

    pub(super) fn taken(&self) -> usize {
        *self.taken.borrow()
    }

    pub(super) async fn all_left(&self) {
        // The sender lives in `self`, so the wait ends with the last guest and not with an error.
        let _ = self.taken.subscribe().wait_for(|taken| *taken == 0).await;
    }

    /// Counts the seconds and ends what was idle for too long.
    pub(super) async fn sweep_every_second(self) {
        let mut interval = tokio::time::interval(Duration::from_secs(1));
        loop {
            interval.tick().await;
            self.sweep();
        }
    }

    fn sweep(&self) {
        let mut table = self.table();
        table.second += 1;
        let second = table.second;
        for guest in table.guests.values().filter(|guest| guest.requests == 0) {
            let idle = Duration::from_secs(second - guest.idle_since);
            if !guest.has_asked && idle > HEAD_PATIENCE || idle > IDLE + GRACE {
                guest.order(Order::Leave);
            } else if idle > IDLE {
                guest.order(Order::Finish);
            }
        }
    }
}

/// One connection's place. It is free again when this is dropped.
pub(super) struct Seat {
    orders: watch::Receiver<Order>,
    presence: Presence,
}

impl Seat {
    /// The handle by which the connection tells when it is busy.
    pub(super) fn presence(&self) -> Presence {
        self.presence.clone()
    }

    /// Waits for an order. May be dropped and called again without missing one.
    pub(super) async fn next_order(&mut self) -> Order {
        match self.orders.changed().await {
            Ok(()) => *self.orders.borrow_and_update(),
            // Nobody is left to give orders.
            Err(_) => Order::Leave,
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut table = self.presence.seats.table();
        table.guests.remove(&self.presence.number);
        self.presence.seats.taken.send_replace(table.guests.len());
    }
}

/// Which connection a request belongs to.
#[derive(Clone)]
pub(super) struct Presence {
    seats: Seats,
    number: u64,
}

impl Presence {
    /// The connection is busy until the result is dropped.
    pub(super) fn busy(&self) -> Busy {
        if let Some(guest) = self.seats.table().guests.get_mut(&self.number) {
            guest.requests += 1;
            guest.has_asked = true;
        }
        Busy(self.clone())
    }
}

/// A request that is being answered.
pub(super) struct Busy(Presence);

impl Drop for Busy {
    fn drop(&mut self) {
        let mut table = self.0.seats.table();
        let second = table.second;
        if let Some(guest) = table.guests.get_mut(&self.0.number) {
            guest.requests -= 1;
            guest.idle_since = second;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));
    const THERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 2));

    fn seats() -> Seats {
        Seats::new(Room { total: 3, per_address: 2 })
    }

    fn order(seat: &Seat) -> Order {
        *seat.orders.borrow()
    }

    #[test]
    fn the_longest_idle_of_an_address_makes_room_for_the_next() {
        let seats = seats();
        let (first, second) = (seats.take(HERE).expect("a seat"), seats.take(HERE).expect("a seat"));
        let third = seats.take(HERE).expect("a seat");
        assert_eq!((order(&first), order(&second), order(&third)), (Order::Leave, Order::Stay, Order::Stay));
    }

    #[test]
    fn the_busy_stay_and_the_next_is_turned_away() {
        let seats = seats();
        let (first, second) = (seats.take(HERE).expect("a seat"), seats.take(HERE).expect("a seat"));
        let (busy, also_busy) = (first.presence().busy(), second.presence().busy());
        assert!(seats.take(HERE).is_none());
        let there = seats.take(THERE).expect("another address has room");
        drop(also_busy);
        assert!(seats.take(HERE).is_some());
        assert_eq!((order(&first), order(&second), order(&there)), (Order::Stay, Order::Leave, Order::Stay));
        drop(busy);
    }

    #[test]
    fn one_that_says_nothing_leaves_early_and_one_that_asked_is_told_to_finish() {
        let seats = seats();
        let (silent, asked) = (seats.take(HERE).expect("a seat"), seats.take(THERE).expect("a seat"));
        drop(asked.presence().busy());
        (0..=HEAD_PATIENCE.as_secs()).for_each(|_| seats.sweep());
        assert_eq!((order(&silent), order(&asked)), (Order::Leave, Order::Stay));
        (HEAD_PATIENCE.as_secs()..IDLE.as_secs()).for_each(|_| seats.sweep());
        assert_eq!(order(&asked), Order::Finish);
        (0..GRACE.as_secs()).for_each(|_| seats.sweep());
        assert_eq!(order(&asked), Order::Leave);
    }

    #[test]
    fn a_long_answer_is_not_idle() {
        let seats = seats();
        let seat = seats.take(HERE).expect("a seat");
        let busy = seat.presence().busy();
        (0..200).for_each(|_| seats.sweep());
        assert_eq!(order(&seat), Order::Stay);
        drop(busy);
    }

    #[tokio::test]
    async fn whoever_stops_the_server_can_wait_for_the_last() {
        let seats = seats();
        let seat = seats.take(HERE).expect("a seat");
        seats.order_all(Order::Finish);
        assert_eq!((order(&seat), seats.taken()), (Order::Finish, 1));
        drop(seat);
        seats.all_left().await;
        assert_eq!(seats.taken(), 0);
    }
}
