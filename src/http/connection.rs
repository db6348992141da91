//! A connection to a client, watched from below the protocol.
//!
//! actix-http limits how long the first head of a connection may take, and how long it is idle.
//! What it leaves open is closed here: a later head that does not end, an answer that nobody
//! reads, and the memory that both hold. (`Dispatcher`, actix-http 3.20.0)
//!
//! | what | how long | then |
//! | --- | --- | --- |
//! | from the first byte of a later request to its head's end | `server.request_timeout` | 408 |
//! | from an answer to the end of the next head | `server.keep_alive` | closed |
//! | an answer of which the client takes no byte | `server.write_timeout` | closed |
//! | bytes not read, and bytes of requests that did not end | the [`Budget`] | closed, 503 |

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

/// Bytes of a request that did not end yet and are not counted against the budget: the buffer that
/// every connection has.
const UNCOUNTED: usize = 16 * 1024;

/// Bytes that actix-http has of a connection at most before it looks at them (`MAX_BUFFER_SIZE`).
const READ_MAX: usize = 128 * 1024;

/// What is the same for every connection.
#[derive(Debug, Clone)]
pub(super) struct Bounds {
    pub(super) request_timeout: Duration,
    pub(super) keep_alive: Duration,
    pub(super) write_timeout: Duration,
    pub(super) budget: Budget,
    pub(super) metrics: Metrics,
}

/// What is expected of the client.
#[derive(Debug, Clone, Copy)]
enum Phase {
    /// The first head, which actix-http watches, or nothing: a request is being answered.
    Unwatched,
    /// The next request.
    Next { head_by: Instant },
    /// The rest of a head.
    Head { head_by: Instant },
}

/// The state of a connection that the layers of the application know and change.
#[derive(Debug)]
pub(super) struct Watch {
    bounds: Bounds,
    phase: Cell<Phase>,
    owner: Cell<Owner>,
    /// Bytes that came since the last answer.
    received: Cell<usize>,
    /// What is held of them, once they are many.
    held: RefCell<Option<Reservation>>,
    /// Bytes of the present answer that are not in the write buffer yet.
    to_come: Cell<usize>,
    /// Whether what comes is thrown away: the rest of a body that was answered before its end.
    discards: Cell<bool>,
}

impl Watch {
    /// The watch of a request's connection.
    pub(super) fn of(request: &HttpRequest) -> Option<&Rc<Self>> {
        request.conn_data::<Rc<Self>>()
    }

    /// A whole head came.
    pub(super) fn head_ended(&self) {
        self.discards.set(false);
        self.phase.set(Phase::Unwatched);
    }

    /// The request is answered, except for what the client has yet to read.
    pub(super) fn answered(&self, now: Instant) {
        self.phase.set(Phase::Next {
            head_by: now + self.bounds.keep_alive,
        });
        self.received.set(0);
        self.held.replace(None);
    }

    /// The request is answered before the end of its body.
    pub(super) fn leaves_body(&self) {
        self.discards.set(true);
    }

    /// Whether fewer bytes came since the last answer than a body has.
    pub(super) fn lacks(&self, length: usize) -> bool {
        // The head is counted with it, so that up to a head's length is overlooked.
        self.received.get() < length
    }

    /// Who calls is known.
    pub(super) fn belongs_to(&self, owner: Owner) {
        self.owner.set(owner);
    }

    /// How much of the present answer is not in the write buffer yet.
    pub(super) fn set_to_come(&self, bytes: usize) {
        self.to_come.set(bytes);
    }

    fn open_account(&self) -> Reservation {
        self.bounds.budget.account(self.owner.get()).open()
    }

    /// Takes in that bytes came. False: they are more than the budget has room for.
    fn take_in(&self, bytes: usize) -> bool {
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

/// What of an answer the client does not take.
#[derive(Debug)]
struct Stall {
    cut_at: Instant,
    held: Reservation,
}

/// The stream of bytes, with its watch.
#[derive(Debug)]
pub(super) struct Connection {
    io: TcpStream,
    watch: Rc<Watch>,
    stall: Option<Stall>,
    /// Wakes the connection when something may be over. It is not moved to a later time for each
    /// request: when it fires, what is over is looked at again.
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

    /// Lets the requests of a connection find its watch.
    pub(super) fn introduce(&self, data: &mut Extensions) {
        data.insert(Rc::clone(&self.watch));
    }

    /// Fails if something is over; else sees to it that the task is woken when something may be.
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
                self.say(408, "Request Timeout");
                self.watch.cut(Cut::SlowHead)
            }
            _ => self.watch.cut(Cut::Idle),
        }
    }

    /// Tells the client why, if that can be told at once. Nothing of an answer is on its way when a
    /// head does not end. Who is still sending what was answered has been told.
    fn say(&self, status: u16, reason: &str) {
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

    /// Notes that the client does not take what is to be written.
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
                if came > 0 && !this.watch.take_in(came) {
                    this.say(503, "Service Unavailable");
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
            // A client that reads, however slowly, is not cut off.
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
