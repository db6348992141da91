//! The verification of the phone number of an intake by a code.

use std::sync::{Arc, mpsc};
use std::time::Duration;

use super::{save, visible};
use crate::domain::{
    Environment, Gateway, Interest, Invalid, Phone, ProgramNumber, Refusal, Timestamp,
};
use crate::service::events::gateways::{Gateways, Parcel, parcel};
use crate::service::loyalty::members;
use crate::service::random::random_bytes;
use crate::service::{Answer, Caller, MemberPrincipal, Reply, ServiceError, Services, TokenKey};
use crate::store::phone_codes::{CodeHash, CountedCode};
use crate::store::{self, Transaction, WriteError};
use crate::wire::{
    self, ConfirmPhoneRequest, PhoneCodeData, PhoneCodeSentResponse, PhoneVerifiedResponse,
};

/// How long a code is valid, by the program's clock.
const VALID: Duration = Duration::from_mins(10);
const HOUR: Duration = Duration::from_hours(1);
const DAY: Duration = Duration::from_hours(24);
/// The most codes in an hour, for a member and for a number.
const HOURLY_MAX: usize = 3;
/// The most codes in a day, for a member and for a number.
const DAILY_MAX: usize = 10;
/// The most wrong tries of a member with the codes of the last hour.
const TRIES_MAX: u32 = 5;
/// The code of a sandbox without a gateway.
const SANDBOX_CODE: &str = "000000";

impl Services {
    /// Sends a code to the phone of an intake. The code is stored before it is sent, so that
    /// requests at the same time stay within the limits.
    ///
    /// # Errors
    /// [`WriteError`].
    pub async fn start_phone_verification(
        &self,
        member: MemberPrincipal,
        id: String,
    ) -> Result<Reply, WriteError> {
        let (gateways, tokens) = (self.gateways.clone(), Arc::clone(&self.tokens));
        let (hand_over, to_send) = mpsc::channel();
        let write = self.write(Caller::Member(member), None, move |tx, caller| {
            members::subject(tx, caller, None)?;
            let interest = visible(tx, caller, &id)?.interest;
            let Caller::Member(member) = caller else {
                return Err(Refusal::NotFound("interest").into());
            };
            let (sent, parcel) = start(tx, *member, &interest, (&gateways, &tokens))?;
            if let Some(parcel) = parcel {
                // The receiver waits for the write.
                let _ = hand_over.send(parcel);
            }
            Ok(Answer::ok(&PhoneCodeSentResponse { sent }))
        });
        let mut reply = write.await?;
        if let Ok(parcel) = to_send.try_recv()
            && !self.gateways.post(parcel).await
        {
            reply.body = wire::to_json(&PhoneCodeSentResponse { sent: false });
        }
        Ok(reply)
    }

    /// Verifies the phone of an intake with a code, which counts once. A wrong, expired or used
    /// code is no error.
    ///
    /// # Errors
    /// [`WriteError`].
    pub async fn confirm_phone_verification(
        &self,
        member: MemberPrincipal,
        id: String,
        request: ConfirmPhoneRequest,
    ) -> Result<Reply, WriteError> {
        let tokens = Arc::clone(&self.tokens);
        self.write(Caller::Member(member), None, move |tx, caller| {
            members::subject(tx, caller, None)?;
            let mut interest = visible(tx, caller, &id)?.interest;
            let (program, at) = (caller.program(), tx.now(caller.program()));
            let number = tokens.number_hash(program, phone_of(&interest)?);
            let code = (&*request.code, number);
            let verified = is_right(tx, (program, at), (&interest, &tokens), code)?;
            if verified && !interest.phone_verified {
                interest.phone_verified = true;
                save(tx, (program, at), &interest)?;
            }
            Ok(Answer::ok(&PhoneVerifiedResponse { verified }))
        })
        .await
    }
}

/// Creates a code for the phone of an interest. Returns whether it can be sent, and the request
/// that sends it, if one is needed.
fn start(
    tx: &mut Transaction<'_>,
    member: MemberPrincipal,
    interest: &Interest,
    (gateways, tokens): (&Gateways, &TokenKey),
) -> Result<(bool, Option<Parcel>), ServiceError> {
    let program = member.program;
    let phone = phone_of(interest)?;
    let at = tx.now(program);
    let number = tokens.number_hash(program, phone);
    let recent = store::phone_codes::counted(tx, (program, interest.member), &number, at)?;
    if let Some(wait) = wait(&recent, at) {
        let retry_after = u64::try_from(wait.as_millis().div_ceil(1000)).unwrap_or(u64::MAX);
        return Err(Refusal::TooManyCodes { retry_after }.into());
    }
    let target = gateways.find(tx, program, Gateway::Phone)?;
    let code = match (&target, member.environment) {
        (Some(_), _) => random_code(),
        (None, Environment::Sandbox) => SANDBOX_CODE.to_owned(),
        (None, Environment::Live) => return Ok((false, None)),
    };
    let hash = tokens.code_hash(interest.id, &code);
    store::phone_codes::insert(tx, program, interest, (&number, &hash), at)?;
    let parcel = target.map(|target| {
        let data = PhoneCodeData {
            interest_id: interest.id.to_string(),
            phone: phone.as_str().to_owned(),
            code,
        };
        let place = (program, member.environment);
        parcel(place, (Gateway::Phone, target), tx.clock_now(), &data)
    });
    Ok((true, parcel))
}

/// Whether a code is the newest one of an interest, for its present phone, and can still be used;
/// notes the try.
fn is_right(
    tx: &mut Transaction<'_>,
    (program, at): (ProgramNumber, Timestamp),
    (interest, tokens): (&Interest, &TokenKey),
    (code, number): (&str, CodeHash),
) -> Result<bool, ServiceError> {
    let Some(newest) = store::phone_codes::newest(tx, interest)? else {
        return Ok(false);
    };
    let place = (program, interest.member);
    let recent = store::phone_codes::counted(tx, place, &number, at)?;
    let is_over = newest.created_at.saturating_add(VALID) <= at;
    if newest.used || is_over || newest.number_hash != number || tries(&recent, at) >= TRIES_MAX {
        return Ok(false);
    }
    let is_right = tokens.is_code(interest.id, code, &newest.code_hash);
    store::phone_codes::note_try(tx, &newest, is_right)?;
    Ok(is_right)
}

fn phone_of(interest: &Interest) -> Result<&Phone, Invalid> {
    let expected = "must be in the intake of the interest before it can be verified";
    interest
        .phone()
        .ok_or_else(|| Invalid::new("phone", expected))
}

/// How long to wait before another code may be sent; `None` if it may be sent now. The recent codes
/// are those of a day, newest first.
fn wait(recent: &[CountedCode], at: Timestamp) -> Option<Duration> {
    let member = recent.iter().filter(|code| code.of_member);
    let number = recent.iter().filter(|code| code.of_number);
    let waits = [member.collect::<Vec<_>>(), number.collect()].map(|codes| {
        let within = |most: usize, period| {
            let oldest = codes.get(most - 1)?;
            left(oldest, period, at)
        };
        within(HOURLY_MAX, HOUR).max(within(DAILY_MAX, DAY))
    });
    let tired = (tries(recent, at) >= TRIES_MAX)
        .then(|| {
            let tried = recent
                .iter()
                .filter(|code| code.of_member && code.tries > 0);
            tried.filter_map(|code| left(code, HOUR, at)).min()
        })
        .flatten();
    waits.into_iter().flatten().chain(tired).max()
}

/// The wrong tries of the member with the codes of the last hour.
fn tries(recent: &[CountedCode], at: Timestamp) -> u32 {
    let of_member = recent.iter().filter(|code| code.of_member);
    let counted = of_member.filter(|code| left(code, HOUR, at).is_some());
    counted.map(|code| code.tries).sum()
}

/// How long a code still counts towards the limit of a period.
fn left(code: &CountedCode, period: Duration, at: Timestamp) -> Option<Duration> {
    let end = code.created_at.saturating_add(period);
    let millis = end.as_millis() - at.as_millis();
    (millis > 0).then(|| Duration::from_millis(millis.unsigned_abs()))
}

/// Six random digits, each code with the same probability.
fn random_code() -> String {
    const CODES: u32 = 1_000_000;
    loop {
        let number = u32::from_be_bytes(random_bytes());
        if number < u32::MAX - u32::MAX % CODES {
            return format!("{:06}", number % CODES);
        }
    }
}
