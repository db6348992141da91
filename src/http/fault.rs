//! Injected faults for testing an app's retries: the header `Stampcard-Fault` of a request with a
//! sandbox credential. With other credentials it has no effect.

use std::time::Duration;

use actix_web::HttpRequest;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::HeaderName;

use super::router::Resource;
use super::{HttpError, auth};
use crate::domain::{Environment, Invalid};
use crate::error::Code;

const HEADER: &str = "Stampcard-Fault";
static NAME: HeaderName = HeaderName::from_static("stampcard-fault");
/// The longest delay, in milliseconds.
const DELAY_MAX: u64 = 30_000;

/// The fault of a request.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Fault {
    delay: Duration,
    failure: Option<Failure>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Failure {
    /// The request is not carried out.
    Before(Code),
    /// The request is carried out, but its response is lost.
    After,
}

/// Passes a request to its handler, with the fault that its header requests.
pub(super) async fn inject(request: ServiceRequest, resource: &Resource) -> ServiceResponse {
    let fault = match of(request.request()) {
        Ok(fault) => fault,
        Err(invalid) => return request.error_response(HttpError::from(invalid)),
    };
    if fault.delay > Duration::ZERO {
        actix_web::rt::time::sleep(fault.delay).await;
    }
    match fault.failure {
        None => resource.handle(request).await,
        Some(Failure::Before(code)) => request.error_response(requested(code)),
        Some(Failure::After) => {
            let response = resource.handle(request).await;
            response.error_response(requested(Code::Internal))
        }
    }
}

fn requested(code: Code) -> HttpError {
    HttpError::new(code, format!("the header {HEADER} asked for this"))
}

/// The fault that a request's header names. The header is checked first, because nearly no request
/// has it.
fn of(request: &HttpRequest) -> Result<Fault, Invalid> {
    let mut values = request.headers().get_all(&NAME).peekable();
    if values.peek().is_none() || auth::environment(request) != Some(Environment::Sandbox) {
        return Ok(Fault::default());
    }
    let mut fault = Fault::default();
    for value in values {
        let text = value.to_str().map_err(|_| unreadable())?;
        for part in text.split(',') {
            fault.add(part.trim())?;
        }
    }
    Ok(fault)
}

impl Fault {
    /// Adds one part of the header; each kind of part may occur once.
    fn add(&mut self, part: &str) -> Result<(), Invalid> {
        if let Some(millis) = part.strip_prefix("delay=") {
            let millis = millis
                .parse()
                .ok()
                .filter(|ms| (1..=DELAY_MAX).contains(ms));
            let millis = millis.filter(|_| self.delay.is_zero());
            self.delay = Duration::from_millis(millis.ok_or_else(unreadable)?);
            return Ok(());
        }
        let failure = match part {
            "429" => Failure::Before(Code::RateLimited),
            "500" => Failure::Before(Code::Internal),
            "503" => Failure::Before(Code::Overloaded),
            "500-after" => Failure::After,
            _ => return Err(unreadable()),
        };
        match self.failure.replace(failure) {
            None => Ok(()),
            Some(_) => Err(unreadable()),
        }
    }
}

fn unreadable() -> Invalid {
    Invalid::new(
        HEADER,
        format!(
            "must be one of 429, 500, 503, 500-after, or delay=<milliseconds from 1 to \
             {DELAY_MAX}>, or one of the first and a delay with a comma between them"
        ),
    )
}
