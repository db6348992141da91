//! The books as plain maps, copied whole before each write. Sums, counts and indexes are not kept
//! but computed whenever they are compared.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use stampcard::books::{Lots, ProgramRecord, Record, TierNumber};
use stampcard::domain::{
    Account, ExpiryNotice, ExternalUserId, MemberNumber, Points, ProgramNumber, Seq, Status,
    StatusCounts, Timestamp, Wallet,
};

use super::purse::{Purse, Taking};

pub(crate) const DAY: i64 = 86_400_000;

/// An operator's id of a member, or the one that an erasure set. Ids of programs may be equal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Name {
    User(u32),
    Erased(u32),
}

impl Name {
    pub(crate) fn id(self) -> ExternalUserId {
        let text = match self {
            Self::User(number) => format!("user_{number}"),
            Self::Erased(number) => format!("erased_{number}"),
        };
        ExternalUserId::parse("externalUserID", text).unwrap()
    }
}

/// A member.
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
#[derive(Debug, Clone)]
pub(crate) struct Person {
    pub(crate) program: i64,
    pub(crate) name: Name,
    pub(crate) tier: String,
    pub(crate) applied: i64,
    pub(crate) is_archived: bool,
    pub(crate) is_suspended: bool,
    pub(crate) is_erased: bool,
    pub(crate) has_participated: bool,
    pub(crate) received: i64,
    pub(crate) spent: i64,
    pub(crate) held: i64,
    pub(crate) pending: i64,
    /// The lots, if the account has any.
    pub(crate) purse: Option<Purse>,
    /// What expires up to this time is not announced any more.
    pub(crate) told: Option<i64>,
    pub(crate) takings: Vec<Taking>,
    /// The numbers of the ledger entries, oldest first.
    pub(crate) entries: Rc<Vec<i64>>,
    pub(crate) account: Account,
    pub(crate) version: i64,
    pub(crate) removals: u32,
    pub(crate) token_end: Option<i64>,
    /// The redemptions, by the index of their status.
    pub(crate) redemptions: Vec<usize>,
}

impl Person {
    pub(crate) fn balance(&self) -> i64 {
        self.received - self.spent - self.held
    }

    fn holds(&self) -> bool {
        self.balance() > 0 || self.held > 0 || self.pending > 0
    }

    /// The record that the books must have, whatever number they gave the tier.
    pub(crate) fn record(&self, number: i64, tier: TierNumber) -> Record {
        let mut redemptions = StatusCounts::default();
        for status in &self.redemptions {
            redemptions.add(Status::ALL[*status], 1);
        }
        Record {
            number: MemberNumber(number),
            program: ProgramNumber(self.program),
            asset: None,
            applied: Seq(self.applied),
            tier,
            is_archived: self.is_archived,
            is_suspended: self.is_suspended,
            has_participated: self.has_participated,
            wallet: wallet([self.received, self.spent, self.held, self.pending]),
            account: self.account,
            version: Seq(self.version),
            token_epoch: self.removals,
            token_expires_at: self
                .token_end
                .map(|end| Timestamp::from_millis(end).unwrap()),
            redemptions,
            lots: self.purse.as_ref().and_then(Purse::lots).map(|lots| {
                let noticed_until = self.told.map(|at| Timestamp::from_millis(at).unwrap());
                Box::new(Lots {
                    noticed_until,
                    ..*lots
                })
            }),
        }
    }
}

fn wallet(numbers: [i64; 4]) -> Wallet {
    let [received, spent, held, pending] = numbers.map(|number| Points::new(number).unwrap());
    Wallet {
        received,
        spent,
        held,
        pending,
    }
}

/// The ledger entries of a program.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Chain {
    /// The newest one that stores a chain start.
    pub(crate) start: i64,
    /// The newest one.
    pub(crate) last: i64,
    /// Its hash, unless it was read from the log.
    pub(crate) head: Option<[u8; 32]>,
}

/// Everything after a row of the log.
#[derive(Debug, Clone, Default)]
pub(crate) struct Naive {
    pub(crate) people: BTreeMap<i64, Rc<Person>>,
    /// The ledger entries of each program.
    pub(crate) entries: BTreeMap<i64, Chain>,
    /// How many days before points expire this is announced, by program.
    pub(crate) notices: BTreeMap<i64, i64>,
    /// The programs with an entry in the open batch.
    pub(crate) chained: BTreeSet<i64>,
    /// The last number that was given to a member because it was the next one.
    pub(crate) dense: i64,
}

impl Naive {
    pub(crate) fn person(&mut self, number: i64) -> &mut Person {
        Rc::make_mut(self.people.get_mut(&number).unwrap())
    }

    /// The points that a program's members received.
    pub(crate) fn received(&self, program: i64) -> i64 {
        self.sums(program)[0]
    }

    fn sums(&self, program: i64) -> [i64; 4] {
        let people = self.people.values();
        let of_program = people.filter(|person| person.program == program);
        let numbers = of_program.map(|it| [it.received, it.spent, it.held, it.pending]);
        numbers.fold([0; 4], |sums, more| [0, 1, 2, 3].map(|i| sums[i] + more[i]))
    }

    /// What is due in a program up to a time, in order.
    pub(crate) fn due(&self, program: i64, until: i64) -> Vec<(i64, u8, i64)> {
        let people = self.people.iter();
        let of_program = people.filter(|(_, person)| person.program == program);
        let mut due: Vec<(i64, u8, i64)> = of_program
            .flat_map(|(number, person)| {
                let purse = person.purse.iter();
                let days = self.notices.get(&program).copied();
                let notices = purse.clone().flat_map(move |purse| {
                    let ends = purse.ends().filter(|(end, _)| person.told < Some(*end));
                    ends.filter_map(move |(end, from)| {
                        let at = end - days? * DAY;
                        (from <= at).then_some((at, 4))
                    })
                });
                let dates = purse.flat_map(Purse::dates).chain(notices);
                dates.map(|(at, kind)| (at, kind, *number))
            })
            .filter(|(at, ..)| *at <= until)
            .collect();
        due.sort_unstable();
        due.dedup();
        due
    }

    pub(crate) fn program(&self, program: i64) -> ProgramRecord {
        let entries = self.entries.get(&program);
        let of_program = || {
            let people = self.people.values();
            people.filter(|person| person.program == program)
        };
        ProgramRecord {
            wallets: wallet(self.sums(program)),
            holders: of_program().filter(|person| person.holds()).count() as u64,
            overdrawn: of_program().map(|person| (-person.balance()).max(0)).sum(),
            chain_start: entries.map(|chain| Seq(chain.start)),
            last_entry: entries.map(|chain| Seq(chain.last)),
            head: entries.and_then(|chain| chain.head),
            notice: self
                .notices
                .get(&program)
                .copied()
                .and_then(ExpiryNotice::new),
            funds: None,
        }
    }

    /// The programs with a member. Only members have ledger entries.
    pub(crate) fn programs(&self) -> BTreeSet<i64> {
        self.people.values().map(|person| person.program).collect()
    }

    /// The member with an id.
    pub(crate) fn find(&self, program: i64, name: Name) -> Option<i64> {
        let is_it = |person: &Person| person.program == program && person.name == name;
        let mut people = self.people.iter();
        people
            .find(|(_, person)| is_it(person))
            .map(|(number, _)| *number)
    }

    /// Every member by id.
    pub(crate) fn names(&self) -> BTreeMap<(i64, Name), i64> {
        let people = self.people.iter();
        people
            .map(|(number, person)| ((person.program, person.name), *number))
            .collect()
    }
}
