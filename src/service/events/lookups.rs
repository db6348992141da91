//! Look-ups of host names with the system's resolver, which blocks as long as a name server does
//! not respond. They have their own threads, which programs share in turns, so that a silent name
//! server delays neither reads nor, for long, another program's look-ups.

use std::collections::{HashMap, VecDeque};
use std::io;
use std::net::{SocketAddr, ToSocketAddrs as _};
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::oneshot;

use super::targets::{Addresses, Names};
use crate::domain::ProgramNumber;

/// Concurrent look-ups.
const THREADS: usize = 16;
/// Concurrent look-ups of one program.
const THREADS_EACH: usize = 4;
/// Look-ups of one program that wait for a thread.
const WAITING_EACH: usize = 32;

/// The name service of the operating system.
#[derive(Debug, Clone)]
pub struct SystemNames(Pool);

impl SystemNames {
    /// The resolver of the operating system.
    pub fn new() -> Self {
        Self(Pool::new(|name| Ok((name, 0).to_socket_addrs()?.collect())))
    }
}

impl Default for SystemNames {
    fn default() -> Self {
        Self::new()
    }
}

impl Names for SystemNames {
    fn look_up(&self, program: ProgramNumber, name: &str) -> Addresses {
        self.0.look_up(program, name)
    }
}

type Resolve = dyn Fn(&str) -> io::Result<Vec<SocketAddr>> + Send + Sync;

/// The threads and the look-ups that wait for them.
#[derive(Clone)]
struct Pool {
    resolve: Arc<Resolve>,
    state: Arc<Mutex<State>>,
}

impl std::fmt::Debug for Pool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Pool")
    }
}

#[derive(Default)]
struct State {
    threads: usize,
    programs: HashMap<ProgramNumber, Share>,
    /// Programs with a look-up that may be started, in the order of their turns.
    turns: VecDeque<ProgramNumber>,
}

/// The look-ups of a program.
#[derive(Default)]
struct Share {
    running: usize,
    waiting: VecDeque<Lookup>,
}

struct Lookup {
    name: String,
    reply: oneshot::Sender<io::Result<Vec<SocketAddr>>>,
}

impl Pool {
    fn new(resolve: impl Fn(&str) -> io::Result<Vec<SocketAddr>> + Send + Sync + 'static) -> Self {
        Self {
            resolve: Arc::new(resolve),
            state: Arc::default(),
        }
    }

    fn look_up(&self, program: ProgramNumber, name: &str) -> Addresses {
        let (reply, answer) = oneshot::channel();
        let name = name.to_owned();
        let queued = self.state.lock().queue(program, Lookup { name, reply });
        let started = queued.and_then(|needs_thread| {
            if needs_thread {
                self.start_thread()
            } else {
                Ok(())
            }
        });
        Box::pin(async move {
            started?;
            let abandoned = |_| io::Error::other("the look-up was given up");
            answer.await.map_err(abandoned)?
        })
    }

    fn start_thread(&self) -> io::Result<()> {
        let pool = self.clone();
        let started = std::thread::Builder::new()
            .name("stampcard-names".to_owned())
            .spawn(move || pool.run());
        if started.is_err() {
            self.state.lock().threads -= 1;
        }
        started.map(drop)
    }

    /// Looks names up until none waits.
    fn run(&self) {
        loop {
            let Some((program, lookup)) = self.state.lock().take() else {
                return;
            };
            let Lookup { name, reply } = lookup;
            // The caller may have stopped waiting.
            if !reply.is_closed() {
                let _ = reply.send((self.resolve)(&name));
            }
            self.state.lock().finish(program);
        }
    }
}

impl State {
    /// Queues a look-up. Returns whether a thread has to be started for it.
    fn queue(&mut self, program: ProgramNumber, lookup: Lookup) -> io::Result<bool> {
        let share = self.programs.entry(program).or_default();
        share.waiting.retain(|waiting| !waiting.reply.is_closed());
        if share.waiting.len() >= WAITING_EACH {
            return Err(io::Error::other("too many names wait to be looked up"));
        }
        share.waiting.push_back(lookup);
        self.line_up(program);
        let needs_thread = self.threads < THREADS && !self.turns.is_empty();
        self.threads += usize::from(needs_thread);
        Ok(needs_thread)
    }

    /// Queues a program for a turn, if it may use one and is not queued.
    fn line_up(&mut self, program: ProgramNumber) {
        let Some(share) = self.programs.get(&program) else {
            return;
        };
        if share.running < THREADS_EACH
            && !share.waiting.is_empty()
            && !self.turns.contains(&program)
        {
            self.turns.push_back(program);
        }
    }

    /// The next look-up. If there is none, the calling thread ends and is no longer counted.
    fn take(&mut self) -> Option<(ProgramNumber, Lookup)> {
        while let Some(program) = self.turns.pop_front() {
            let share = self.programs.get_mut(&program)?;
            if let Some(lookup) = share.waiting.pop_front() {
                share.running += 1;
                self.line_up(program);
                return Some((program, lookup));
            }
        }
        self.threads -= 1;
        None
    }

    fn finish(&mut self, program: ProgramNumber) {
        if let Some(share) = self.programs.get_mut(&program) {
            share.running -= 1;
            if share.running == 0 && share.waiting.is_empty() {
                self.programs.remove(&program);
            }
        }
        self.line_up(program);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::time::{Duration, Instant};

    use super::*;

    /// A pool whose name server does not answer for "silent" until the sender is dropped.
    fn pool() -> (Pool, mpsc::Sender<()>) {
        let (release, wait) = mpsc::channel();
        let wait = Mutex::new(wait);
        let pool = Pool::new(move |name| {
            if name == "silent" {
                let _ = wait.lock().recv_timeout(Duration::from_secs(20));
            }
            Ok(vec![([192, 0, 2, 1], 0).into()])
        });
        (pool, release)
    }

    fn runtime() -> tokio::runtime::Runtime {
        tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap()
    }

    #[test]
    fn a_program_whose_names_are_never_answered_delays_no_other() {
        let (pool, release) = pool();
        let hostile: Vec<_> = (0..WAITING_EACH + THREADS_EACH)
            .map(|_| pool.look_up(ProgramNumber(1), "silent"))
            .collect();
        assert!(pool.state.lock().threads <= THREADS);
        let asked = Instant::now();
        let answer = runtime().block_on(pool.look_up(ProgramNumber(2), "example.com"));
        assert_eq!(answer.unwrap().len(), 1);
        assert!(asked.elapsed() < Duration::from_secs(5));
        drop(hostile);
        drop(release);
    }

    #[test]
    fn look_ups_past_the_limit_are_refused_immediately_and_all_others_answered() {
        let (pool, release) = pool();
        let mut asked: Vec<_> = (0..100)
            .map(|_| pool.look_up(ProgramNumber(1), "silent"))
            .collect();
        let last = asked.pop().unwrap();
        let runtime = runtime();
        let refusal = runtime.block_on(last).unwrap_err();
        assert!(refusal.to_string().contains("too many"), "{refusal}");
        drop(release);
        let answers = asked.into_iter().map(|answer| runtime.block_on(answer));
        let answered = answers.flatten().count();
        assert!((WAITING_EACH..=WAITING_EACH + THREADS_EACH).contains(&answered));
        let start = Instant::now();
        while pool.state.lock().threads > 0 {
            assert!(
                start.elapsed() < Duration::from_secs(5),
                "threads are still running"
            );
            std::thread::yield_now();
        }
        assert!(pool.state.lock().programs.is_empty());
    }
}
