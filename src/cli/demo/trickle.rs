//! What goes on while the demo is looked at: something every second or so, in one program or
//! another.

use std::time::Duration;

use fastrand::Rng;

use super::calendar::Calendar;
use super::history::History;
use super::receiver;
use crate::clock::Clock;
use crate::service::Services;

/// The time between two deeds, in milliseconds.
const PAUSE: std::ops::Range<u64> = 300..1_300;

/// Goes on until it is dropped, or until the services take no more writes.
pub(super) async fn go_on(services: Services, history: History) {
    let clock = Clock::system();
    let History {
        mut programs,
        calendar,
        ..
    } = history;
    if let Some(main) = programs.first()
        && let Err(error) = receiver::listen(&services, main.key).await
    {
        return give_up(&error);
    }
    let mut rng = Rng::new();
    loop {
        actix_web::rt::time::sleep(Duration::from_millis(rng.u64(PAUSE))).await;
        // Mostly in the main program.
        let index = if rng.u32(0..4) > 0 {
            0
        } else {
            rng.usize(0..programs.len())
        };
        let program = &mut programs[index];
        let occasion = program.some_occasion();
        let deed = match program.act(occasion, calendar, clock.now()) {
            Ok(Some(deed)) => deed,
            Ok(None) => continue,
            Err(error) => return give_up(&error),
        };
        let (deed, outcome) = deed;
        let noted = match deed.carry_out(&services, program.key).await {
            Ok(reply) => program.note(outcome, &reply, Calendar::days()),
            Err(error) => Err(error.into()),
        };
        if let Err(error) = noted {
            return give_up(&error);
        }
    }
}

fn give_up(error: &anyhow::Error) {
    tracing::warn!(
        error = format!("{error:#}"),
        "the demo stands still from here on"
    );
}
