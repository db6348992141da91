//! Streams of server-sent events: the messages of a conversation, and the activity of a program.
//!
//! Source: the HTML standard, section 9.2, "Server-sent events".

use std::collections::VecDeque;
use std::time::Duration;

use actix_web::http::Method;
use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::web::{Bytes, Data};
use actix_web::{HttpRequest, HttpResponse};
use futures_util::{StreamExt as _, stream};
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at, sleep_until};

use crate::budget::Reservation;
use crate::domain::{Invalid, ProgramNumber, Seq, Timestamp};
use crate::error::Code;
use crate::http::auth::{self, MemberToken, OrgKey};
use crate::http::extract::PathText;
use crate::http::openapi::operation::{NOT_FOUND, Operation};
use crate::http::route::routes;
use crate::http::{HttpError, HttpLimits, HttpResult};
use crate::realtime::{Frame, Realtime, Subscription, Topic, activity_frame};
use crate::service::{Caller, Services};
use crate::wire::schema;

/// The comment that an idle stream sends, so that no proxy takes the connection for dead.
const HEARTBEAT: &str = ": heartbeat\n\n";
/// The end of a stream whose client did not read fast enough. A message stream has only messages,
/// so that this is a comment.
const MISSED_COMMENT: &str = ": too slow, messages were left out; list them and connect again\n\n";
/// The end of an activity stream whose client did not read fast enough. It can be resumed without a
/// gap.
const MISSED_EVENT: &str =
    "event: gap\ndata: {\"message\":\"too slow; connect again with Last-Event-ID\"}\n\n";
/// The duration of a stream whose credential does not expire.
const FOREVER: Duration = Duration::from_hours(24 * 365);

const EVENT_STREAM: &str = "text/event-stream";

routes! {
    tag "Conversations";

    "/v1/conversations/{id}/stream" {
        GET Member stream_messages => Operation::new("Stream the messages of a conversation")
            .description(
                "Server-sent events: each `data:` line is a `MessageResponse`; `: heartbeat` is \
                 sent while there are no messages. The stream ends when the token expires.",
            )
            .returns_media(200, EVENT_STREAM, "Messages from now on.")
            .errors(NOT_FOUND);
    }

    tag "Activity";

    "/v1/activity/stream" {
        GET OrgKey stream_activity => Operation::new("Stream the events of the program")
            .description(
                "Server-sent events: `id` is the number of the activity, `event` its name, `data` \
                 the body that a webhook receives, an `ActivityEvent` of this document. \
                 `: heartbeat` is sent while nothing happens. A client that does not read fast \
                 enough gets `event: gap` and is disconnected; it resumes with `Last-Event-ID`.",
            )
            .header(
                "Last-Event-ID",
                schema::whole(0, i64::MAX),
                "The `id` of the last frame that was received; the stream starts after it.",
            )
            .returns_media(
                200,
                EVENT_STREAM,
                "Events from now on, or after `Last-Event-ID`.",
            )
            .errors(&[Code::Validation]);
    }
}

async fn stream_messages(
    request: HttpRequest,
    services: Data<Services>,
    realtime: Data<Realtime>,
    MemberToken(member): MemberToken,
    PathText(id): PathText,
) -> HttpResult {
    let caller = Caller::Member(member);
    let conversation = services.find_conversation(caller, id).await?;
    let topic = Topic::Conversation(member.program, conversation);
    let credential = auth::credential_of(caller);
    let live = realtime.subscribe(topic, credential)?;
    let start = live.start();
    let ends_in = until(member.expires_at, services.now());
    let source = Source::new(
        &request,
        services,
        realtime,
        (topic, credential),
        live,
        start,
    )?;
    Ok(respond(&request, Stream::new(source, caller, ends_in)))
}

async fn stream_activity(
    request: HttpRequest,
    services: Data<Services>,
    realtime: Data<Realtime>,
    OrgKey(key): OrgKey,
) -> HttpResult {
    let resume_after = last_event_id(&request)?;
    let topic = Topic::Activity(key.program);
    let credential = auth::credential_of(Caller::Key(key));
    let live = realtime.subscribe(topic, credential)?;
    let after = resume_after.unwrap_or(live.start());
    if after > live.start() {
        let expected = "must be the id of a frame of this stream";
        return Err(Invalid::new("Last-Event-ID", expected).into());
    }
    let source = Source::new(
        &request,
        services,
        realtime,
        (topic, credential),
        live,
        after,
    )?;
    Ok(respond(
        &request,
        Stream::new(source, Caller::Key(key), FOREVER),
    ))
}

fn last_event_id(request: &HttpRequest) -> Result<Option<Seq>, Invalid> {
    let Some(value) = request.headers().get("last-event-id") else {
        return Ok(None);
    };
    let number = value.to_str().ok().and_then(|text| text.parse().ok());
    number
        .filter(|number| *number >= 0)
        .map(|number| Some(Seq(number)))
        .ok_or_else(|| Invalid::new("Last-Event-ID", "must be the id of a frame of this stream"))
}

fn until(end: Timestamp, now: Timestamp) -> Duration {
    let millis = end.as_millis().saturating_sub(now.as_millis());
    Duration::from_millis(millis.max(0).unsigned_abs())
}

/// The source of frames: the log as far as the client is behind, then the hub.
struct Source {
    services: Data<Services>,
    realtime: Data<Realtime>,
    topic: Topic,
    credential: u64,
    live: Subscription,
    heartbeat: Duration,
    /// The number of the last frame that was sent.
    after: Seq,
    /// Frames from the log that are sent next, with their reservations in the budget.
    ready: VecDeque<(Frame, Reservation)>,
}

impl Source {
    fn new(
        request: &HttpRequest,
        services: Data<Services>,
        realtime: Data<Realtime>,
        (topic, credential): (Topic, u64),
        live: Subscription,
        after: Seq,
    ) -> Result<Self, HttpError> {
        let limits = request
            .app_data::<HttpLimits>()
            .ok_or_else(|| HttpError::plain(Code::Internal))?;
        Ok(Self {
            heartbeat: limits.stream_heartbeat,
            services,
            realtime,
            topic,
            credential,
            live,
            after,
            ready: VecDeque::new(),
        })
    }

    /// The next frame; `None` when there are no more.
    async fn next(&mut self) -> Option<Frame> {
        loop {
            if let Some((frame, _)) = self.ready.pop_front() {
                self.after = frame.seq;
                return Some(frame);
            }
            if let Topic::Activity(program) = self.topic
                && self.after < self.live.start()
            {
                self.read_log(program).await?;
                continue;
            }
            let frame = self.live.next().await?;
            if frame.seq > self.after {
                self.after = frame.seq;
                return Some(frame);
            }
        }
    }

    /// Reads a piece of the log, up to where the hub took over. If the hub dropped this client
    /// meanwhile, the client is registered again from the newest activity.
    async fn read_log(&mut self, program: ProgramNumber) -> Option<()> {
        let up_to = self.live.start();
        let programs = [program].into();
        let read = self.services.events_after(programs, self.after, up_to);
        let (events, end) = read.await.ok()?;
        for (program, event) in &events {
            let text = activity_frame(&self.services, *program, event)?;
            // If too much is buffered for this client, the stream ends: it can be resumed.
            let held = self.live.account().reserve(text.len())?;
            let seq = event.seq;
            self.ready.push_back((Frame { seq, text }, held));
        }
        if events.is_empty() {
            self.after = end;
        }
        if end >= up_to && self.live.has_missed() {
            self.live = self.realtime.subscribe(self.topic, self.credential).ok()?;
        }
        Some(())
    }
}

/// A stream of a client.
struct Stream {
    source: Source,
    caller: Caller,
    heartbeat: Interval,
    ends_at: Instant,
    is_over: bool,
}

impl Stream {
    fn new(source: Source, caller: Caller, ends_in: Duration) -> Self {
        let now = Instant::now();
        let period = source.heartbeat;
        let mut heartbeat = interval_at(now + period, period);
        heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self {
            source,
            caller,
            heartbeat,
            ends_at: now + ends_in,
            is_over: false,
        }
    }

    /// The next piece of the body.
    async fn next(&mut self) -> Option<Bytes> {
        if self.is_over {
            return None;
        }
        tokio::select! {
            frame = self.source.next() => {
                if let Some(frame) = frame {
                    return Some(Bytes::copy_from_slice(frame.text.as_bytes()));
                }
                self.is_over = true;
                self.source.live.has_missed().then(|| Bytes::from_static(self.missed().as_bytes()))
            }
            _ = self.heartbeat.tick() => {
                self.is_still_allowed().then(|| Bytes::from_static(HEARTBEAT.as_bytes()))
            }
            () = sleep_until(self.ends_at) => None,
        }
    }

    fn missed(&self) -> &'static str {
        match self.source.topic {
            Topic::Activity(_) => MISSED_EVENT,
            Topic::Conversation(..) => MISSED_COMMENT,
        }
    }

    /// Whether the credential that opened the stream is still valid for it.
    fn is_still_allowed(&self) -> bool {
        let directory = self.source.services.directory();
        match self.caller {
            Caller::Key(key) => directory
                .authenticate_hash(key.fingerprint)
                .is_ok_and(|now| now.program == key.program),
            Caller::Member(member) => directory.check_member(member).is_ok(),
        }
    }
}

fn respond(request: &HttpRequest, stream: Stream) -> HttpResponse {
    let mut response = HttpResponse::Ok();
    response
        .content_type(EVENT_STREAM)
        .insert_header((header::CACHE_CONTROL, "no-cache"))
        .insert_header((
            // Asks a proxy not to buffer frames.
            HeaderName::from_static("x-accel-buffering"),
            HeaderValue::from_static("no"),
        ));
    if request.method() == Method::HEAD {
        return response.finish();
    }
    let first = stream::iter([Bytes::from_static(HEARTBEAT.as_bytes())]);
    let rest = stream::unfold(stream, |mut stream| async move {
        let piece = stream.next().await?;
        Some((piece, stream))
    });
    response.streaming(first.chain(rest).map(Ok::<_, actix_web::Error>))
}
