//! The event types that a condition asks for.

use super::data::{Data, DataMap};
use super::node::{Comparison, Node, Variable};

/// The field of an event that holds its type.
const TYPE: &str = "type";

/// The types of events for which a condition can be true; `None` if it can be for any.
///
/// For an event of another type one part of each way to be true is false, so that the condition is
/// false, or fails where it would have been false.
pub(super) fn types(node: &Node) -> Option<Vec<Box<str>>> {
    match node {
        Node::Compare(Comparison::Equal, parts) => match &**parts {
            [of, Node::Constant(Data::Text(name))] | [Node::Constant(Data::Text(name)), of] => {
                is_type(of).then(|| vec![name.clone()])
            }
            _ => None,
        },
        Node::In(parts) => match &**parts {
            [of, Node::Constant(Data::List(names))] if is_type(of) => {
                let names = names.iter().map(|name| match name {
                    Data::Text(name) => Some(name.clone()),
                    // An event whose type is no text is found only without the index.
                    _ => None,
                });
                Some(sorted(names.collect::<Option<_>>()?))
            }
            _ => None,
        },
        Node::And(parts) => {
            let mut both: Option<Vec<Box<str>>> = None;
            for more in parts.iter().filter_map(types) {
                both = Some(match both {
                    None => more,
                    Some(mut names) => {
                        names.retain(|name| more.binary_search(name).is_ok());
                        names
                    }
                });
            }
            both
        }
        Node::Or(parts) => {
            let each: Option<Vec<_>> = parts.iter().map(types).collect();
            Some(sorted(each?.concat()))
        }
        _ => None,
    }
}

fn sorted(mut names: Vec<Box<str>>) -> Vec<Box<str>> {
    names.sort_unstable();
    names.dedup();
    names
}

/// Whether it is `event.type`, or `event["type"]`.
fn is_type(node: &Node) -> bool {
    match node {
        Node::Field(of, name) => matches!(**of, Node::Variable(Variable::Event)) && &**name == TYPE,
        Node::Index(parts) => matches!(
            &**parts,
            [Node::Variable(Variable::Event), Node::Constant(Data::Text(name))] if &**name == TYPE
        ),
        _ => false,
    }
}

/// The type of an event.
pub(super) fn type_of(event: &DataMap) -> Option<&str> {
    match event.get(TYPE)? {
        Data::Text(name) => Some(name),
        _ => None,
    }
}
