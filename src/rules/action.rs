//! Actions of rules, compiled.

use std::sync::Arc;
use std::time::Duration;

use uuid::Uuid;

use crate::domain::{
    BalanceOperation, Bucket, Decimal, InventoryMode, NoAmount, Points, Reason, ReferenceId,
    Timestamp,
};

use super::draft::{ActionDraft, ActionKind, AssetTerms, Problem, RuleError, TargetDraft};
use super::duration::parse_duration;
use super::expression::{Data, DataMap, Expression, Number};

/// A text, or an expression that gives one.
#[derive(Debug)]
pub(super) enum Written {
    Literal(Box<str>),
    Expression(Expression),
}

/// A time, or how long after the action.
#[derive(Debug, Clone, Copy)]
pub(super) enum When {
    At(Timestamp),
    After(Duration),
}

impl When {
    pub(super) fn from(self, at: Timestamp) -> Timestamp {
        match self {
            Self::At(time) => time,
            Self::After(duration) => at.saturating_add(duration),
        }
    }
}

/// Whom an action is for.
#[derive(Debug)]
pub(super) enum Target {
    /// The recipient of the event, or its participant.
    OfEvent,
    Id(Uuid),
    IdOf(Expression),
    ExternalId(Written),
    Program,
}

#[derive(Debug)]
pub(super) struct Action {
    pub(super) target: Target,
    pub(super) deed: Deed,
}

#[derive(Debug)]
pub(super) enum Deed {
    Credit {
        asset: AssetTerms,
        amount: Expression,
        bucket: Bucket,
        description: Option<Reason>,
        reference: Option<Written>,
        expires: Option<When>,
        matures: Option<When>,
    },
    Debit {
        asset: AssetTerms,
        amount: Expression,
        allow_negative: bool,
        description: Option<Reason>,
    },
    Operation {
        operation: BalanceOperation,
        asset: AssetTerms,
        amount: Option<Expression>,
        bucket: Bucket,
        reference: Option<Written>,
        description: Option<Reason>,
    },
    Tag(Box<str>),
    Untag(Box<str>),
    Count {
        key: Box<str>,
        increment: Expression,
        reset_after: Option<Duration>,
    },
    SetAttribute {
        key: Box<str>,
        value: Written,
    },
    Schedule {
        delay: Duration,
        data: Arc<DataMap>,
    },
    Broadcast {
        data: Arc<DataMap>,
    },
}

/// The longest delay of a scheduled event: two years.
const DELAY_MAX: Duration = Duration::from_hours(17_520);
/// The most characters of a tag or a key.
const KEY_MAX: usize = 100;
/// The most characters of the name of an event.
const NAME_MAX: usize = 255;
/// The most characters of an attribute that a rule sets.
pub(super) const VALUE_MAX: usize = 255;

/// The fields of one action.
pub(super) struct Fields<'a> {
    pub(super) draft: &'a ActionDraft,
    /// The path of the action, such as `actions[0]`.
    pub(super) path: String,
    pub(super) find_asset: &'a dyn Fn(&str) -> Option<AssetTerms>,
}

impl Fields<'_> {
    fn expected(&self, field: &str, expected: impl Into<String>) -> RuleError {
        RuleError::expected(format!("{}.{field}", self.path), expected)
    }

    fn required<'b>(&self, field: &str, value: Option<&'b String>) -> Result<&'b str, RuleError> {
        let kind = &self.draft.kind;
        let value = value.map(String::as_str);
        value.ok_or_else(|| self.expected(field, format!("is required for {kind}")))
    }

    pub(super) fn compile(&self) -> Result<Action, RuleError> {
        let Some(kind) = ActionKind::parse(&self.draft.kind) else {
            let names: Vec<&str> = ActionKind::ALL.iter().map(|kind| kind.as_str()).collect();
            let expected = format!("must be one of {}", names.join(", "));
            return Err(self.expected("type", expected));
        };
        let deed = self.deed(kind)?;
        let target = self.target(kind)?;
        Ok(Action { target, deed })
    }

    fn deed(&self, kind: ActionKind) -> Result<Deed, RuleError> {
        let draft = self.draft;
        let operation = match kind {
            ActionKind::Credit => return self.credit(),
            ActionKind::Debit => {
                let asset = self.asset()?;
                return Ok(Deed::Debit {
                    asset,
                    amount: self.amount(asset)?,
                    allow_negative: draft.allow_negative,
                    description: self.description()?,
                });
            }
            ActionKind::Hold => BalanceOperation::Hold,
            ActionKind::Release => BalanceOperation::Release,
            ActionKind::Forfeit => BalanceOperation::Forfeit,
            ActionKind::VoidHold => BalanceOperation::VoidHold,
            ActionKind::Tag => return Ok(Deed::Tag(self.tag()?)),
            ActionKind::Untag => return Ok(Deed::Untag(self.tag()?)),
            ActionKind::Counter => {
                let value = self.required("value", draft.value.as_ref())?;
                return Ok(Deed::Count {
                    key: self.text("key", draft.key.as_ref(), KEY_MAX)?,
                    increment: self.expression("value", value)?,
                    reset_after: self.duration("reset_after", draft.reset_after.as_ref())?,
                });
            }
            ActionKind::SetAttribute => {
                let key = self.text("key", draft.key.as_ref(), KEY_MAX)?;
                self.text("value", draft.value.as_ref(), Expression::BYTES_MAX)?;
                let value = self.written("value", draft.value.as_ref(), VALUE_MAX)?;
                let value = value.ok_or_else(|| self.expected("value", "is required"))?;
                return Ok(Deed::SetAttribute { key, value });
            }
            ActionKind::ScheduleEvent => {
                let delay = self.required("delay", draft.delay.as_ref())?;
                let delay = self.duration("delay", Some(&delay.to_owned()))?;
                let delay = delay.filter(|delay| *delay <= DELAY_MAX);
                return Ok(Deed::Schedule {
                    delay: delay.ok_or_else(|| {
                        self.expected("delay", "must be from 1s to 17520h, such as 24h")
                    })?,
                    data: self.event()?,
                });
            }
            ActionKind::Broadcast => {
                return Ok(Deed::Broadcast {
                    data: self.event()?,
                });
            }
        };
        self.operation(operation)
    }

    fn credit(&self) -> Result<Deed, RuleError> {
        let draft = self.draft;
        let asset = self.asset()?;
        let bucket = draft.bucket.unwrap_or_default();
        if bucket == Bucket::Deferred {
            return Err(self.expected("bucket", "must be AVAILABLE or HELD; use matures_at"));
        }
        let (expires, matures) = (
            self.when("expires_at", draft.expires_at.as_ref())?,
            self.when("matures_at", draft.matures_at.as_ref())?,
        );
        let lot_fields = [
            ("expires_at", expires.is_some()),
            ("matures_at", matures.is_some()),
            ("reference_id", draft.reference_id.is_some()),
        ];
        let in_lots = asset.mode == InventoryMode::Lot;
        if let Some((field, _)) = lot_fields
            .iter()
            .find(|(_, is_there)| *is_there && !in_lots)
        {
            return Err(self.expected(field, "needs an asset whose points are kept in lots"));
        }
        if bucket == Bucket::Held && matures.is_some() {
            return Err(self.expected("matures_at", "cannot be combined with the bucket HELD"));
        }
        let is_late = match (matures, expires) {
            (Some(When::At(matures)), Some(When::At(expires))) => matures >= expires,
            (Some(When::After(matures)), Some(When::After(expires))) => matures >= expires,
            _ => false,
        };
        if is_late {
            return Err(self.expected("matures_at", "must be before expires_at"));
        }
        Ok(Deed::Credit {
            asset,
            amount: self.amount(asset)?,
            bucket,
            description: self.description()?,
            reference: self.reference()?,
            expires,
            matures,
        })
    }

    fn operation(&self, operation: BalanceOperation) -> Result<Deed, RuleError> {
        let draft = self.draft;
        let asset = self.asset()?;
        let is_void = operation == BalanceOperation::VoidHold;
        if is_void && draft.reference_id.is_none() {
            return Err(self.expected("reference_id", "is required for VOID_HOLD"));
        }
        if is_void && draft.amount.is_some() {
            let expected = "cannot be given for VOID_HOLD, which takes all points back";
            return Err(self.expected("amount", expected));
        }
        if draft.reference_id.is_some() && asset.mode != InventoryMode::Lot {
            let expected = "needs an asset whose points are kept in lots";
            return Err(self.expected("reference_id", expected));
        }
        let bucket = match (operation, draft.bucket) {
            (BalanceOperation::Forfeit, Some(bucket)) if bucket != Bucket::Deferred => bucket,
            (BalanceOperation::Forfeit, _) => {
                return Err(self.expected("bucket", "must be AVAILABLE or HELD"));
            }
            (BalanceOperation::Hold, _) => Bucket::Available,
            (BalanceOperation::Release | BalanceOperation::VoidHold, _) => Bucket::Held,
        };
        let amount = draft.amount.as_ref().map(|_| self.amount(asset));
        Ok(Deed::Operation {
            operation,
            asset,
            amount: amount.transpose()?,
            bucket,
            reference: self.reference()?,
            description: self.description()?,
        })
    }

    fn asset(&self) -> Result<AssetTerms, RuleError> {
        let id = self.required("asset_id", self.draft.asset_id.as_ref())?;
        let found = (self.find_asset)(id);
        found.ok_or_else(|| self.expected("asset_id", "must be the id of an asset of the program"))
    }

    fn amount(&self, asset: AssetTerms) -> Result<Expression, RuleError> {
        let text = self.required("amount", self.draft.amount.as_ref())?;
        let expression = self.expression("amount", text)?;
        if let Some(number) = expression.literal() {
            check_literal(&format!("{}.amount", self.path), number, asset)?;
        }
        Ok(expression)
    }

    fn expression(&self, field: &str, text: &str) -> Result<Expression, RuleError> {
        let error = |error| RuleError::expression(format!("{}.{field}", self.path), error);
        Expression::amount(text).map_err(error)
    }

    fn written(
        &self,
        field: &str,
        text: Option<&String>,
        most: usize,
    ) -> Result<Option<Written>, RuleError> {
        let Some(text) = text else {
            return Ok(None);
        };
        let error = |error| RuleError::expression(format!("{}.{field}", self.path), error);
        Ok(Some(match Expression::named(text).map_err(error)? {
            Some(expression) => Written::Expression(expression),
            None => Written::Literal(self.text(field, Some(text), most)?),
        }))
    }

    fn reference(&self) -> Result<Option<Written>, RuleError> {
        let written = self.written("reference_id", self.draft.reference_id.as_ref(), 255)?;
        if let Some(Written::Literal(text)) = &written {
            let field = format!("{}.reference_id", self.path);
            let parsed = ReferenceId::parse(&field, &**text);
            parsed.map_err(|error| RuleError::expected(error.field, error.expected))?;
        }
        Ok(written)
    }

    fn description(&self) -> Result<Option<Reason>, RuleError> {
        let field = format!("{}.description", self.path);
        let text = self.draft.description.as_deref();
        let parsed = text.map(|text| Reason::parse(&field, text)).transpose();
        parsed.map_err(|error| RuleError::expected(error.field, error.expected))
    }

    fn text(&self, field: &str, text: Option<&String>, most: usize) -> Result<Box<str>, RuleError> {
        let text = self.required(field, text)?;
        let is_short = (1..=most).contains(&text.chars().take(most + 1).count());
        if !is_short || text.chars().any(char::is_control) {
            let expected = format!("must be 1 to {most} characters without control characters");
            return Err(self.expected(field, expected));
        }
        Ok(text.into())
    }

    fn tag(&self) -> Result<Box<str>, RuleError> {
        let tag = self.text("tag", self.draft.tag.as_ref(), KEY_MAX)?;
        Ok(tag.to_lowercase().into())
    }

    fn duration(&self, field: &str, text: Option<&String>) -> Result<Option<Duration>, RuleError> {
        let Some(text) = text else {
            return Ok(None);
        };
        let duration = parse_duration(text);
        let error = || self.expected(field, "must be a duration such as 24h or 1h30m");
        Ok(Some(duration.ok_or_else(error)?))
    }

    fn when(&self, field: &str, text: Option<&String>) -> Result<Option<When>, RuleError> {
        let Some(text) = text else {
            return Ok(None);
        };
        let time = Timestamp::parse(text).map(When::At);
        let when = time.or_else(|| parse_duration(text).map(When::After));
        let expected = "must be a duration such as 720h, or a time such as 2027-01-01T00:00:00Z";
        Ok(Some(when.ok_or_else(|| self.expected(field, expected))?))
    }

    fn event(&self) -> Result<Arc<DataMap>, RuleError> {
        let name = self.text("event_name", self.draft.event_name.as_ref(), NAME_MAX)?;
        let mut data = self.draft.payload.clone().unwrap_or_default();
        data.insert("type".into(), Data::Text(name));
        let checked = Data::check_event(&data);
        checked.map_err(|no_data| self.expected("payload", no_data.to_string()))?;
        Ok(Arc::new(data))
    }

    fn target(&self, kind: ActionKind) -> Result<Target, RuleError> {
        let Some(target) = &self.draft.target else {
            return Ok(Target::OfEvent);
        };
        match (target.kind.as_str(), kind) {
            (_, ActionKind::ScheduleEvent | ActionKind::Broadcast) => Ok(Target::OfEvent),
            ("PARTICIPANT", _) => self.participant(target),
            (
                "PROGRAM",
                ActionKind::Tag
                | ActionKind::Untag
                | ActionKind::Counter
                | ActionKind::SetAttribute,
            ) => Ok(Target::Program),
            ("PROGRAM", _) => {
                let expected = "must be PARTICIPANT: a program has no balance";
                Err(self.expected("target.type", expected))
            }
            _ => Err(self.expected("target.type", "must be PARTICIPANT or PROGRAM")),
        }
    }

    fn participant(&self, target: &TargetDraft) -> Result<Target, RuleError> {
        let ids = [
            ("target.id", &target.id),
            ("target.participant_id", &target.participant_id),
            ("target.external_id", &target.external_id),
        ];
        let given = ids.into_iter().filter(|(_, id)| id.is_some());
        let given: Vec<_> = given.collect();
        match given.as_slice() {
            [] => Ok(Target::OfEvent),
            [(field, id)] => {
                let written = self.written(field, id.as_ref(), 255)?;
                let written = written.ok_or_else(|| self.expected(field, "is required"))?;
                Ok(match written {
                    written if *field == "target.external_id" => Target::ExternalId(written),
                    Written::Expression(expression) => Target::IdOf(expression),
                    Written::Literal(id) => {
                        let expected = "must be a UUID, or an expression that gives one";
                        let id = Uuid::try_parse(&id);
                        Target::Id(id.map_err(|_| self.expected(field, expected))?)
                    }
                })
            }
            _ => Err(self.expected("target", "must have one of id, participant_id, external_id")),
        }
    }
}

/// The units of an amount that is written as a number: exact, and not negative.
pub(super) fn check_literal(
    field: &str,
    number: Number,
    asset: AssetTerms,
) -> Result<Option<Points>, RuleError> {
    let most = asset.scale.show_points(Points::MAX);
    let expected = || RuleError::expected(field, format!("must be from 0 to {most}"));
    let number = number.normalize();
    if number.is_zero() {
        return Ok(None);
    }
    let decimal = Decimal::parse(&number.to_string()).ok_or_else(expected)?;
    match decimal.points(asset.scale) {
        Ok(points) => Ok(Some(points)),
        Err(NoAmount::OutOfRange) => Err(expected()),
        Err(NoAmount::TooFine) => Err(RuleError {
            field: field.to_owned(),
            problem: Problem::TooFine(asset.scale),
        }),
    }
}
