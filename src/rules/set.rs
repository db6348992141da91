//! The rules of a program, by the event type that they ask for.

use std::collections::HashMap;

use super::rule::Rule;

/// The rules of a program that are evaluated, in their order.
#[derive(Debug, Default)]
pub struct RuleSet {
    rules: Vec<Rule>,
    /// The places of the rules that ask for a type, in their order.
    by_type: HashMap<Box<str>, Vec<usize>>,
    /// The places of the rules that ask for none.
    for_any: Vec<usize>,
}

impl RuleSet {
    /// The most rules of a program.
    pub const RULES_MAX: usize = 200;

    /// A set of rules. Of rules with one place in the order, the one with the lower number is
    /// first.
    pub fn new(mut rules: Vec<Rule>) -> Self {
        rules.sort_by_key(|rule| (rule.order(), rule.version()));
        let mut set = Self::default();
        for (place, rule) in rules.iter().enumerate() {
            match rule.types() {
                None => set.for_any.push(place),
                Some(types) => {
                    for name in types {
                        set.by_type.entry(name.clone()).or_default().push(place);
                    }
                }
            }
        }
        set.rules = rules;
        set
    }

    /// All rules, in their order.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// The rules whose condition an event of a type can meet, in their order.
    pub fn for_type<'a>(&'a self, name: Option<&str>) -> impl Iterator<Item = &'a Rule> {
        let typed = name.and_then(|name| self.by_type.get(name));
        let mut typed = typed.map(Vec::as_slice).unwrap_or_default();
        let mut any = self.for_any.as_slice();
        std::iter::from_fn(move || {
            let first = match (typed.first(), any.first()) {
                (Some(one), Some(other)) if one < other => &mut typed,
                (Some(_), None) => &mut typed,
                _ => &mut any,
            };
            let (place, rest) = first.split_first()?;
            *first = rest;
            self.rules.get(*place)
        })
    }
}
