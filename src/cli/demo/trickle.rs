//! Continues the history while the demo runs: the rest of today and every day after it, planned
//! like the days of the history, and so at the same pace.

use tokio::time::{Instant, sleep_until};

use super::calendar::Calendar;
use super::history::{History, Planned, elapsed};
use super::receiver;
use crate::clock::Clock;
use crate::service::Services;

/// Continues the history at `speed` times its pace, until it is dropped or the services refuse
/// writes.
pub(super) async fn go_on(services: Services, mut history: History, speed: f64) {
    let clock = Clock::system();
    if let Some(main) = history.programs.first()
        && let Err(error) = receiver::listen(&services, main.key).await
    {
        return give_up(&error);
    }
    // Pauses while the machine sleeps: missed occasions are not made up for.
    let start = Instant::now();
    let mut day = Calendar::days() - 1;
    let mut plan = std::mem::take(&mut history.rest);
    loop {
        for next in plan {
            let after = elapsed(history.calendar.now(), next.at).div_f64(speed);
            sleep_until(start + after).await;
            if let Err(error) = live(&services, &mut history, next, day, &clock).await {
                return give_up(&error);
            }
        }
        day += 1;
        plan = history.plan(day);
    }
}

async fn live(
    services: &Services,
    history: &mut History,
    next: Planned,
    day: u32,
    clock: &Clock,
) -> Result<(), anyhow::Error> {
    let program = &mut history.programs[next.program];
    let Some((deed, outcome)) = program.act(next.occasion, history.calendar, clock.now())? else {
        return Ok(());
    };
    let reply = deed.carry_out(services, program.key).await?;
    program.note(outcome, &reply, day)
}

fn give_up(error: &anyhow::Error) {
    tracing::warn!(error = format!("{error:#}"), "the demo adds no more events");
}
