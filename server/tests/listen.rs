//! The accept loop on a real socket (R4, OP-4, OP-9, attack A-73, faults F-28 and F-29).

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::routing::{get, post};
use server::http::listen::{self, Room};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// A server on a free port, until it is told to stop.
struct Running {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<()>,
}

impl Running {
    async fn start(router: Router, room: Room) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let (stop, stopped) = oneshot::channel();
        let stopped = async { stopped.await.unwrap_or(()) };
        Self { address, stop: Some(stop), task: tokio::spawn(listen::serve(listener, router, room, stopped)) }
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.expect("a connection")
    }

    /// Sends these bytes and reads until the server closes, or its first answer is complete.
    async fn exchange(&self, request: &[u8]) -> String {
        let mut stream = self.connect().await;
        // The server may answer and close before it has read all of it.
        let _ = stream.write_all(request).await;
        read_to_end(&mut stream).await
    }

    fn stop(&mut self) {
        self.stop.take().expect("stopped once").send(()).expect("a running server");
    }
}

async fn read_to_end(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    // A reset ends it as well as a close.
    let _ = stream.read_to_end(&mut bytes).await;
    String::from_utf8_lossy(&bytes).into_owned()
}

fn router() -> Router {
    Router::new().route("/", get(|| async { "here" })).route("/", post(|body: String| async move { body }))
}

fn status(answer: &str) -> &str {
    answer.split(' ').nth(1).unwrap_or("no answer")
}

#[tokio::test]
async fn it_answers() {
    let server = Running::start(router(), Room::DIRECT).await;
    let answer = server.exchange(b"GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.ends_with("here"), "{answer}");
}

#[tokio::test]
async fn a_head_without_end_is_refused() {
    let server = Running::start(router(), Room::DIRECT).await;
    let long = format!("GET / HTTP/1.1\r\nhost: a\r\nx: {}\r\n\r\n", "a".repeat(1 << 20));
    assert_eq!(status(&server.exchange(long.as_bytes()).await), "431");
    let many = format!("GET / HTTP/1.1\r\nhost: a\r\n{}\r\n", "x: y\r\n".repeat(1000));
    assert_eq!(status(&server.exchange(many.as_bytes()).await), "431");
}

#[tokio::test]
async fn what_is_no_http_is_not_answered_as_if() {
    let server = Running::start(router(), Room::DIRECT).await;
    for request in [
        "\r\n\r\n\r\n\r\nnonsense\r\n\r\n",
        "GET / HTTP/9.9\r\nhost: a\r\n\r\n",
        "\u{16}\u{3}\u{1}hello there, this is TLS",
    ] {
        let answer = server.exchange(request.as_bytes()).await;
        assert!(answer.is_empty() || status(&answer) == "400", "{request:?}: {answer}");
    }
}

#[tokio::test(start_paused = true)]
async fn silence_and_half_a_head_are_not_waited_for() {
    let server = Running::start(router(), Room::DIRECT).await;
    for beginning in ["", "G", "GET / HTTP/1.1\r\n", "GET / HTTP/1.1\r\nhost: a\r\nx: y", "PRI * HTTP/2.0\r\n"] {
        let waited = tokio::time::timeout(Duration::from_secs(25), server.exchange(beginning.as_bytes())).await;
        let answer = waited.unwrap_or_else(|_| panic!("still waiting after {beginning:?}"));
        assert!(answer.is_empty() || status(&answer) == "408", "{beginning:?}: {answer}");
    }
}

#[tokio::test]
async fn silent_connections_make_room_for_one_that_asks() {
    let server = Running::start(router(), Room { total: 8, per_address: 8 }).await;
    let mut silent = Vec::new();
    for _ in 0..8 {
        silent.push(server.connect().await);
    }
    let answer = server.exchange(b"GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").await;
    assert_eq!(status(&answer), "200");
    assert_eq!(read_to_end(&mut silent[0]).await, "", "the one that was silent longest had to go");
}

#[tokio::test]
async fn when_all_are_busy_the_next_is_told_so() {
    let (arrivals, mut arrived) = tokio::sync::mpsc::channel(1);
    let (release, released) = tokio::sync::watch::channel(false);
    let slow = move || {
        let (arrivals, mut released) = (arrivals.clone(), released.clone());
        async move {
            arrivals.send(()).await.expect("the test waits for it");
            released.wait_for(|is_released| *is_released).await.expect("the test releases it");
            "done"
        }
    };
    let mut server = Running::start(Router::new().route("/", get(slow)), Room { total: 1, per_address: 1 }).await;
    let mut busy = server.connect().await;
    busy.write_all(b"GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").await.expect("a request");
    arrived.recv().await.expect("a request under way");
    let answer = server.exchange(b"").await;
    assert_eq!(status(&answer), "503", "{answer}");
    assert!(answer.contains("Retry-After"), "{answer}");

    server.stop();
    release.send(true).expect("a waiting request");
    assert!(read_to_end(&mut busy).await.ends_with("done"), "a stop lets requests under way end");
    server.task.await.expect("the end");
}

#[tokio::test]
async fn a_stopped_server_takes_no_new_connection_and_keeps_no_idle_one() {
    let mut server = Running::start(router(), Room::DIRECT).await;
    let mut idle = server.connect().await;
    idle.write_all(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n").await.expect("a request");
    let mut answer = vec![0; 17];
    idle.read_exact(&mut answer).await.expect("an answer");
    server.stop();
    server.task.await.expect("the end");
    assert!(TcpStream::connect(server.address).await.is_err());
    assert!(read_to_end(&mut idle).await.ends_with("here"));
}
