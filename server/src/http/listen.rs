//! The accept loop: HTTP/1 and HTTP/2 with a limit on everything a client can hold on to.
//!
//! `axum::serve` sets no limit on how long a request's head may take, so a few thousand silent connections would stop it
//! (axum#3478). Here a connection is either *busy* (a request of it is being answered) or *idle* (anything else: nothing
//! said yet, half a head, waiting for the next request, slowly reading the last answer). Idle ones end after a while, and
//! when room is needed the one that has been idle longest goes first: silence cannot keep anybody out.

mod seats;

use std::convert::Infallible;
use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::Request;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tower::ServiceExt;

use seats::{Order, Seat, Seats};

/// The longest head of a request: all headers and the path.
const MAX_HEAD_BYTES: u32 = 16 * 1024;
/// How long a head may take to arrive.
const HEAD_PATIENCE: Duration = Duration::from_secs(10);
/// How long requests under way may take to end when the server stops.
const DRAIN: Duration = Duration::from_secs(30);
/// Requests at the same time in one HTTP/2 connection.
const MAX_STREAMS: u32 = 64;
/// How often a silent HTTP/2 client is asked whether it is still there, and how long it may think about it.
const PING_EVERY: Duration = Duration::from_secs(20);
const PING_PATIENCE: Duration = Duration::from_secs(10);
/// The pause after a failed accept: long enough for an idle connection to give its file handle back, and for the loop not
/// to spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(10);
/// What a client hears when there is no room; said without reading its request.
const NO_ROOM: &[u8] =
    b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";

/// How many connections may be open.
#[derive(Clone, Copy, Debug)]
pub struct Room {
    /// In all.
    pub total: usize,
    /// From one address.
    pub per_address: usize,
}

impl Room {
    /// For clients that connect by themselves. One address may be a whole clinic behind one router.
    pub const DIRECT: Self = Self { total: 1000, per_address: 500 };
    /// Behind a proxy all connections have its address.
    pub const PROXIED: Self = Self { total: 1000, per_address: 1000 };
}

/// Serves until `stop` is done, then lets what is under way end.
pub async fn serve(listener: TcpListener, router: Router, room: Room, stop: impl Future<Output = ()>) {
    let seats = Seats::new(room);
    let sweeper = tokio::spawn(seats.clone().sweep_every_second());
    let mut stop = std::pin::pin!(stop);
    let mut is_short = false;
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => {
                    is_short = false;
                    welcome(stream, peer, &seats, &router);
                }
                Err(error) if is_about_one_connection(&error) => {}
                Err(error) => {
                    // Said once per shortage, which may last for thousands of them.
                    if !is_short {
                        tracing::warn!(%error, "cannot accept a connection: idle ones make room");
                    }
                    is_short = true;
                    seats.free_one();
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            },
            () = &mut stop => break,
        }
    }
    drop(listener);
    seats.order_all(Order::Finish);
    if tokio::time::timeout(DRAIN, seats.all_left()).await.is_err() {
        tracing::warn!(connections = seats.taken(), "stopped with requests under way");
    }
    sweeper.abort();
}

/// The client went away before it was accepted; the listener itself is well.
fn is_about_one_connection(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

fn welcome(stream: TcpStream, peer: SocketAddr, seats: &Seats, router: &Router) {
    match seats.take(authority::network(peer.ip())) {
        Some(seat) => {
            tokio::spawn(converse(stream, peer, seat, router.clone()));
        }
        None => {
            tokio::spawn(turn_away(stream));
        }
    }
}

async fn turn_away(mut stream: TcpStream) {
    let say_so = async {
        stream.write_all(NO_ROOM).await?;
        stream.shutdown().await
    };
    // Whether the client heard it makes no difference.
    let _ = tokio::time::timeout(Duration::from_secs(1), say_so).await;
}

/// One connection from its first byte to its last.
async fn converse(stream: TcpStream, peer: SocketAddr, mut seat: Seat, router: Router) {
    // An answer is written as a whole, so waiting for more to send with it only costs time.
    let _ = stream.set_nodelay(true);
    let presence = seat.presence();
    let service = service_fn(move |request: Request<Incoming>| {
        let busy = presence.busy();
        let router = router.clone();
        async move {
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(ConnectInfo(peer));
            let answer = router.oneshot(request).await;
            drop(busy);
            Ok::<_, Infallible>(answer.unwrap_or_else(|never| match never {}))
        }
    });
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(HEAD_PATIENCE).max_buf_size(MAX_HEAD_BYTES as usize);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_header_list_size(MAX_HEAD_BYTES)
        .max_concurrent_streams(MAX_STREAMS)
        .keep_alive_interval(PING_EVERY)
        .keep_alive_timeout(PING_PATIENCE);
    let mut connection = std::pin::pin!(builder.serve_connection(TokioIo::new(stream), service));
    loop {
        tokio::select! {
            // Its error is the client's doing: it went away, or sent what is no HTTP.
            _ = connection.as_mut() => break,
            order = seat.next_order() => match order {
                Order::Stay => {}
                Order::Finish => connection.as_mut().graceful_shutdown(),
                Order::Leave => break,
            },
        }
    }
}
