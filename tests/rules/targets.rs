//! Participants that rules name by their id.

use stampcard::rules::{ActionDraft, Listed, ParticipantKey, Recipient, TargetDraft};
use uuid::Uuid;

use crate::steps::{ann, credit, credited, ordered, run};
use crate::written::{action, rule, text};

const ID: &str = "0191f3b0-7c2a-7d3e-8a4b-5c6d7e8f9012";

/// Adds a tag to the participant of this id.
fn tag(id: &str) -> ActionDraft {
    ActionDraft {
        target: Some(TargetDraft {
            kind: "PARTICIPANT".to_owned(),
            id: text(id),
            ..TargetDraft::default()
        }),
        ..action("TAG")
    }
}

#[test]
fn an_id_names_the_same_participant_however_it_is_spelled() {
    let id = Uuid::try_parse(ID).unwrap();
    let mut state = ann();
    state.participant.as_mut().unwrap().id = id;
    for spelled in [
        ID.to_owned(),
        ID.to_uppercase(),
        id.simple().to_string(),
        id.urn().to_string(),
    ] {
        let event = format!(r#"{{"type": "purchase", "whose": "{spelled}"}}"#);
        for written in [spelled.as_str(), "event.whose"] {
            let drafts = ordered([
                rule("true", vec![tag(written)]),
                rule("'gold' in participant.tags", vec![credit("1")]),
            ]);
            let outcome = run(&drafts, &event, &state, Listed::Stored);
            let tagged = outcome.effects.first().map(|it| &it.recipient);
            let expected = Recipient::Participant(ParticipantKey::Id(id));
            assert_eq!(tagged, Some(&expected), "{spelled} {written}");
            assert_eq!(credited(&outcome), [100], "{spelled} {written}");
        }
    }
}

#[test]
fn an_action_for_what_is_no_id_fails() {
    for whose in ["", "ann", "0191f3b0", &format!("{ID}0"), &format!(" {ID}")] {
        let event = format!(r#"{{"type": "purchase", "whose": "{whose}"}}"#);
        let drafts = [rule("true", vec![tag("event.whose")])];
        let outcome = run(&drafts, &event, &ann(), Listed::Stored);
        let message = outcome.failure().map(|(_, message)| message);
        assert_eq!(
            message,
            Some("the target is no id of a participant"),
            "{whose:?}"
        );
    }
}
