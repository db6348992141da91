//! A budget for memory held for clients: responses they have not read yet, and requests they have
//! not finished sending. It is limited in total and per owner, so that connections that read
//! nothing cannot exhaust memory, however many there are.
//!
//! **Must not know**: the content of that memory.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Weak};

use parking_lot::Mutex;

/// The client for which memory is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Owner {
    /// A caller with a credential, by its fingerprint.
    Credential(u64),
    /// A caller without one, by its address.
    Address(IpAddr),
}

impl Owner {
    /// The owner of a connection before its credential is known. An IPv6 client usually has a whole
    /// /64 network, which is one owner.
    pub fn of_address(address: IpAddr) -> Self {
        Self::Address(match address {
            IpAddr::V4(_) => address,
            IpAddr::V6(address) => {
                let network = address.to_bits() >> 64 << 64;
                Ipv6Addr::from_bits(network).into()
            }
        })
    }
}

/// The limits and the memory held. Clones share them.
#[derive(Debug, Clone)]
pub struct Budget(Arc<Limits>);

#[derive(Debug)]
struct Limits {
    max: usize,
    each_max: usize,
    held: AtomicUsize,
    accounts: Mutex<HashMap<Owner, Weak<Total>>>,
}

/// The memory held for one owner.
#[derive(Debug)]
struct Total {
    owner: Owner,
    held: AtomicUsize,
    limits: Arc<Limits>,
}

/// An owner's account. Clones share it.
#[derive(Debug, Clone)]
pub struct Account(Arc<Total>);

/// Memory that is held until this is dropped.
#[derive(Debug)]
pub struct Reservation {
    account: Account,
    bytes: usize,
}

impl Budget {
    /// A budget of `max` bytes in total and `each_max` for each owner.
    pub fn new(max: usize, each_max: usize) -> Self {
        Self(Arc::new(Limits {
            max,
            each_max,
            held: AtomicUsize::new(0),
            accounts: Mutex::default(),
        }))
    }

    /// The account of an owner.
    pub fn account(&self, owner: Owner) -> Account {
        let mut accounts = self.0.accounts.lock();
        let known = accounts.get(&owner).and_then(Weak::upgrade);
        Account(known.unwrap_or_else(|| {
            let total = Arc::new(Total {
                owner,
                held: AtomicUsize::new(0),
                limits: Arc::clone(&self.0),
            });
            accounts.insert(owner, Arc::downgrade(&total));
            total
        }))
    }

    /// The bytes held now, in total.
    pub fn held(&self) -> usize {
        self.0.held.load(Ordering::Relaxed)
    }
}

impl Drop for Total {
    fn drop(&mut self) {
        let mut accounts = self.limits.accounts.lock();
        // Another may have been opened since the last reference to this one was dropped.
        let is_this = |known: &Weak<Self>| known.strong_count() == 0;
        if accounts.get(&self.owner).is_some_and(is_this) {
            accounts.remove(&self.owner);
        }
    }
}

impl Account {
    /// An empty reservation, to be grown by [`Reservation::resize`].
    pub fn open(&self) -> Reservation {
        Reservation {
            account: self.clone(),
            bytes: 0,
        }
    }

    /// Reserves `bytes`, unless that exceeds a limit.
    pub fn reserve(&self, bytes: usize) -> Option<Reservation> {
        let mut reservation = self.open();
        reservation.resize(bytes).then_some(reservation)
    }
}

impl Reservation {
    /// Changes the size to `bytes`. False if that exceeds a limit; then nothing changes.
    #[must_use]
    pub fn resize(&mut self, bytes: usize) -> bool {
        let total = &self.account.0;
        let limits = &total.limits;
        if let Some(more) = bytes.checked_sub(self.bytes) {
            if !add(&total.held, more, limits.each_max) {
                return false;
            }
            if !add(&limits.held, more, limits.max) {
                total.held.fetch_sub(more, Ordering::Relaxed);
                return false;
            }
        } else {
            let less = self.bytes - bytes;
            total.held.fetch_sub(less, Ordering::Relaxed);
            limits.held.fetch_sub(less, Ordering::Relaxed);
        }
        self.bytes = bytes;
        true
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        let total = &self.account.0;
        total.held.fetch_sub(self.bytes, Ordering::Relaxed);
        total.limits.held.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

/// Adds to a sum, unless that exceeds `max`.
fn add(sum: &AtomicUsize, more: usize, max: usize) -> bool {
    let added = |held: usize| held.checked_add(more).filter(|held| *held <= max);
    sum.fetch_update(Ordering::Relaxed, Ordering::Relaxed, added)
        .is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_owner_and_all_together_have_a_bound() {
        let budget = Budget::new(100, 60);
        let ann = budget.account(Owner::Credential(1));
        let held = ann.reserve(60).unwrap();
        assert!(ann.reserve(1).is_none(), "above the owner's limit");
        let again = budget.account(Owner::Credential(1));
        assert!(again.reserve(1).is_none(), "the same owner");
        let bob = budget.account(Owner::Credential(2));
        assert!(bob.reserve(41).is_none(), "above the limit in total");
        let mut other = bob.reserve(40).unwrap();
        assert_eq!(budget.held(), 100);
        drop(held);
        assert!(other.resize(50) && !other.resize(61) && other.resize(10));
        assert_eq!(budget.held(), 10);
    }

    #[test]
    fn an_account_is_forgotten_with_its_last_reference() {
        let budget = Budget::new(100, 60);
        let first = budget.account(Owner::Credential(1));
        let reservation = first.reserve(5).unwrap();
        drop(first);
        assert_eq!(budget.0.accounts.lock().len(), 1);
        drop(reservation);
        assert_eq!(budget.0.accounts.lock().len(), 0);
    }

    #[test]
    fn addresses_of_one_ipv6_network_are_one_owner() {
        let of = |text: &str| Owner::of_address(text.parse().unwrap());
        assert_eq!(of("2001:db8:0:1::5"), of("2001:db8:0:1:ffff::6"));
        assert_ne!(of("2001:db8:0:1::5"), of("2001:db8:0:2::5"));
        assert_ne!(of("192.0.2.1"), of("192.0.2.2"));
    }
}
