//! A connection to a client, with limits below the protocol.
//!
//! actix-http limits the time of the first head of a connection and the idle time. The other cases
//! are limited here: a later head that does not end, a response that the client does not read, and
//! the memory of both. (`Dispatcher`, actix-http 3.20.0)
//!
//! | what | limit | then |
//! | --- | --- | --- |
//! | from the first byte of a later request to its head's end | `server.request_timeout` | 408 |
//! | from a response to the end of the next head | `server.keep_alive` | closed |
//! | a response of which the client reads no byte | `server.write_timeout` | closed |
//! | unread bytes of responses, and bytes of unfinished requests | the [`Budget`] | closed, 503 |

use std::cell::{Cell, RefCell};
use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use actix_web::HttpRequest;
use actix_web::dev::Extensions;
use actix_web::rt::net::TcpStream;
use actix_web::rt::time::{Sleep, sleep_until};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::budget::{Budget, Owner, Reservation};
use crate::telemetry::{Cut, Metrics};

/// Bytes of an unfinished request that are not counted against the budget: the buffer that every
/// connection has.
const UNCOUNTED: usize = 16 * 1024;

/// The most bytes that actix-http buffers of a connection before it parses them
/// (`MAX_BUFFER_SIZE`).
const READ_MAX: usize = 128 * 1024;

/// The limits of every connection.
#[derive(Debug, Clone)]
pub(super) struct Bounds {
    pub(super) request_timeout: Duration,
    pub(super) keep_alive: Duration,
    pub(super) write_timeout: Duration,
    pub(super) budget: Budget,
    pub(super) metrics: Metrics,
}

/// The next thing that the client must send.
#[derive(Debug, Clone, Copy)]
enum Phase {
    /// The first head, which actix-http limits, or nothing: a request is in progress.
    Unwatched,
    /// The start of the next request.
    Next { head_by: Instant },
    /// The rest of a head.
    Head { head_by: Instant },
}

/// The state of a connection, which the layers of the application read and update.
#[derive(Debug)]
pub(super) struct Watch {
    bounds: Bounds,
    phase: Cell<Phase>,
    owner: Cell<Owner>,
    /// Bytes received since the last response.
    received: Cell<usize>,
    /// Their reservation in the budget, once they are many.
    held: RefCell<Option<Reservation>>,
    /// Bytes of the current response that are not in the write buffer yet.
    to_come: Cell<usize>,
    /// Whether received bytes are discarded: the rest of a body that was answered before its end.
    discards: Cell<bool>,
}

impl Watch {
    /// The state of a request's connection.
    pub(super) fn of(request: &HttpRequest) -> Option<&Rc<Self>> {
        request.conn_data::<Rc<Self>>()
    }

    /// Notes that a whole head has arrived.
    pub(super) fn head_ended(&self) {
        self.discards.set(false);
        self.phase.set(Phase::Unwatched);
    }

    /// Notes that the request is answered, apart from bytes that the client has not read yet.
    pub(super) fn answered(&self, now: Instant) {
        self.phase.set(Phase::Next {
            head_by: now + self.bounds.keep_alive,
        });
        self.received.set(0);
        self.held.replace(None);
    }

    /// Notes that the request is answered before the end of its body.
    pub(super) fn discard_body(&self) {
        self.discards.set(true);
    }

    /// Whether fewer bytes than the length of a body were received since the last response.
    pub(super) fn lacks(&self, length: usize) -> bool {
        // The head counts as well, so that a body may lack up to the length of a head.
        self.received.get() < length
    }

    /// Sets the owner, once the caller is known.
    pub(super) fn set_owner(&self, owner: Owner) {
        self.owner.set(owner);
    }

    /// Sets how many bytes of the current response are not in the write buffer yet.
    pub(super) fn set_to_come(&self, bytes: usize) {
        self.to_come.set(bytes);
    }

    fn open_account(&self) -> Reservation {
        self.bounds.budget.account(self.owner.get()).open()
    }

    /// Counts received bytes. Returns false if they exceed the budget.
    fn receive(&self, bytes: usize) -> bool {
        if let Phase::Next { head_by } = self.phase.get() {
            let head_by = head_by.min(Instant::now() + self.bounds.request_timeout);
            self.phase.set(Phase::Head { head_by });
        }
        let mut received = self.received.get() + bytes;
        if self.discards.get() {
            received = received.min(READ_MAX);
        }
        self.received.set(received);
        if received <= UNCOUNTED {
            return true;
        }
        let mut held = self.held.borrow_mut();
        held.get_or_insert_with(|| self.open_account())
            .resize(received)
    }

    fn cut(&self, why: Cut) -> io::Error {
        self.bounds.metrics.cut(why);
        io::Error::new(io::ErrorKind::TimedOut, why.as_str())
    }
}

/// A response that the client does not read.
#[derive(Debug)]
struct Stall {
    cut_at: Instant,
    held: Reservation,
}

/// The byte stream of a connection, with its state.
#[derive(Debug)]
pub(super) struct Connection {
    io: TcpStream,
    watch: Rc<Watch>,
    stall: Option<Stall>,
    /// Wakes the connection when a limit may have passed. It is not reset for every request: when
    /// it fires, the limits are checked again.
    timer: Option<Pin<Box<Sleep>>>,
}

impl Connection {
    pub(super) fn new(io: TcpStream, bounds: Bounds) -> Self {
        let peer = io.peer_addr().map(|address| address.ip());
        let address = peer.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
        let watch = Watch {
            bounds,
            phase: Cell::new(Phase::Unwatched),
            owner: Cell::new(Owner::of_address(address)),
            received: Cell::new(0),
            held: RefCell::default(),
            to_come: Cell::new(0),
            discards: Cell::new(false),
        };
        Self {
            io,
            watch: Rc::new(watch),
            stall: None,
            timer: None,
        }
    }

    /// Gives the requests of the connection access to its state.
    pub(super) fn share_watch(&self, data: &mut Extensions) {
        data.insert(Rc::clone(&self.watch));
    }

    /// Fails if a limit has passed; otherwise schedules the next check.
    fn poll_bounds(&mut self, context: &mut Context<'_>) -> io::Result<()> {
        let phase = self.watch.phase.get();
        let head_by = match phase {
            Phase::Unwatched => None,
            Phase::Next { head_by } | Phase::Head { head_by } => Some(head_by),
        };
        let cut_at = self.stall.as_ref().map(|stall| stall.cut_at);
        let Some(next) = head_by.into_iter().chain(cut_at).min() else {
            return Ok(());
        };
        if let Some(timer) = &self.timer
            && !timer.is_elapsed()
            && timer.deadline().into_std() <= next
        {
            return Ok(());
        }
        if next <= Instant::now() {
            return Err(self.overdue(phase, cut_at == Some(next)));
        }
        let timer = self
            .timer
            .get_or_insert_with(|| Box::pin(sleep_until(next.into())));
        timer.as_mut().reset(next.into());
        if timer.as_mut().poll(context).is_ready() {
            context.waker().wake_by_ref();
        }
        Ok(())
    }

    fn overdue(&self, phase: Phase, is_stalled: bool) -> io::Error {
        match phase {
            _ if is_stalled => self.watch.cut(Cut::Unread),
            Phase::Head { .. } => {
                self.send_status(408, "Request Timeout");
                self.watch.cut(Cut::SlowHead)
            }
            _ => self.watch.cut(Cut::Idle),
        }
    }

    /// Sends the reason to the client, if that is possible without waiting. No response is being
    /// sent while a head is unfinished, and a client whose unfinished body was answered has its
    /// response.
    fn send_status(&self, status: u16, reason: &str) {
        if self.stall.is_some() || self.watch.discards.get() {
            return;
        }
        let retry = if status == 503 {
            "retry-after: 1\r\n"
        } else {
            ""
        };
        let answer = format!(
            "HTTP/1.1 {status} {reason}\r\n{retry}connection: close\r\ncontent-length: 0\r\n\r\n"
        );
        // The connection is closed either way.
        let _ = self.io.try_write(answer.as_bytes());
    }

    /// Notes that the client does not read the bytes that wait to be written.
    fn stalled(&mut self, waiting: usize) -> io::Result<()> {
        let watch = &self.watch;
        let stall = self.stall.get_or_insert_with(|| Stall {
            cut_at: Instant::now() + watch.bounds.write_timeout,
            held: watch.open_account(),
        });
        if stall.held.resize(waiting + watch.to_come.get()) {
            return Ok(());
        }
        Err(watch.cut(Cut::Unread))
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buffer.filled().len();
        let polled = Pin::new(&mut this.io).poll_read(context, buffer);
        match polled {
            Poll::Pending => this.poll_bounds(context)?,
            Poll::Ready(Ok(())) => {
                let came = buffer.filled().len() - before;
                if came > 0 && !this.watch.receive(came) {
                    this.send_status(503, "Service Unavailable");
                    return Poll::Ready(Err(this.watch.cut(Cut::Unfinished)));
                }
            }
            Poll::Ready(Err(_)) => {}
        }
        polled
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let polled = Pin::new(&mut this.io).poll_write(context, bytes);
        match &polled {
            Poll::Pending => {
                this.stalled(bytes.len())?;
                this.poll_bounds(context)?;
            }
            // A client that reads, however slowly, is not disconnected.
            Poll::Ready(_) => this.stall = None,
        }
        polled
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().io).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().io).poll_shutdown(context)
    }
}
