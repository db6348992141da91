//! An erasure removes every byte of a person's words and names, from all files.

#[path = "erasure/words.rs"]
mod words;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use self::words::{Search, Words};
use crate::receiver::Receiver;
use crate::server::{Answer, Place, Server, done, request, upload};
use crate::webhooks::CATALOGUE;

/// The number of people, of whom one is erased.
const LEAVES: usize = 2;
/// Credits until the files must be clean: too few to overwrite the words in the log.
const CREDITS_MAX: usize = 500;
/// The time limit for clean files, if there are no writes.
const PATIENCE: Duration = Duration::from_mins(1);

/// A person, with all their words and names.
struct Person {
    id: String,
    words: Vec<String>,
    redemption: String,
}

/// The path of an object of this person.
fn path(place: &str, person: &Person) -> String {
    format!("/v1/{place}{}", person.id)
}

/// A server on this folder's database. It logs little, because much is sent.
fn start(place: &Place) -> Server {
    let mut command = place.serve();
    command.env("STAMPCARD_LOG__LEVEL", "info");
    place.start_as(command)
}

/// Creates people who change for a while: their rows grow, shrink and lie among those of others, so
/// that pages are split and merged.
fn create_people(server: &Server, words: &mut Words, count: usize) -> Vec<Person> {
    let offer = server.offer(3);
    let mut people: Vec<Person> = (0..count)
        .map(|_| {
            let id = words.plain(24);
            Person {
                words: vec![id.clone()],
                redemption: String::new(),
                id,
            }
        })
        .collect();
    for round in 0..4 {
        for person in &mut people {
            rename(server, words, person);
            move_points(server, words, person, round);
            move_points(server, words, person, round + 100);
            move_points(server, words, person, round + 200);
            if round == 1 {
                redeem(server, words, person, &offer);
            }
        }
        // Again in another order, so that rows change between others that do not.
        for number in 0..count {
            let person = &mut people[number * 7 % count];
            rename(server, words, person);
            if round > 1 {
                talk(server, words, person);
            }
        }
    }
    people
}

fn rename(server: &Server, words: &mut Words, person: &mut Person) {
    let (name, length) = (words.text(30), 20 + words.number(300));
    let text = words.text(length);
    let body = json!({"displayName": name, "attributes": {"text": text}});
    let set = server.send("PUT", &path("members/", person), None, &body);
    set.unwrap().expect(200);
    person.words.extend([name, text]);
}

fn move_points(server: &Server, words: &mut Words, person: &mut Person, round: usize) {
    for (route, amount) in [("credit", 7), ("debit", 2)] {
        let length = 20 + words.number(200);
        let reason = words.text(length);
        let body = json!({"externalUserID": person.id, "amount": amount, "reason": reason});
        let key = format!("{route} {} {round}", person.id);
        let route = format!("/v1/wallet/{route}");
        let moved = server.send("POST", &route, Some(&key), &body);
        moved.unwrap().expect(200);
        person.words.push(reason);
    }
}

fn redeem(server: &Server, words: &mut Words, person: &mut Person, offer: &str) {
    let body = json!({"externalUserID": person.id, "offer": offer});
    let key = format!("redeem {}", person.id);
    let made = server.send("POST", "/v1/redemptions", Some(&key), &body);
    let made = made.unwrap().expect(201);
    made["id"]
        .as_str()
        .unwrap()
        .clone_into(&mut person.redemption);
    let note = words.text(90);
    let key = format!("cancel {}", person.id);
    let route = format!("/v1/redemptions/{}/cancel", person.redemption);
    let canceled = server.send("POST", &route, Some(&key), &json!({"canceledNote": note}));
    canceled.unwrap().expect(200);
    let later = words.text(300);
    let route = format!("/v1/redemptions/{}", person.redemption);
    let noted = server.send("PATCH", &route, None, &json!({"canceledNote": later}));
    noted.unwrap().expect(200);
    person.words.extend([note, later]);
}

/// The member rates a completed redemption, twice.
fn rate(server: &Server, words: &mut Words, person: &mut Person, token: &str) {
    let offer = server.post("/v1/offers", &json!({"title": "Free"}));
    let offer = offer.expect(201)["id"].clone();
    let body = json!({"externalUserID": person.id, "offer": offer});
    let made = server.post("/v1/redemptions", &body).expect(201);
    let route = format!("/v1/redemptions/{}", made["id"].as_str().unwrap());
    let done = server.send("PATCH", &route, None, &json!({"status": "COMPLETED"}));
    done.unwrap().expect(200);
    let route = format!("{route}/feedback");
    for rating in [3, 8] {
        let comment = words.text(200);
        let body = json!({"rating": rating, "comment": comment});
        let route_of = ("PUT", route.as_str());
        request(&server.agent, server.address, token, route_of, None, &body)
            .unwrap()
            .expect(200);
        person.words.push(comment);
    }
}

/// Both sides write, in the conversation about the redemption and in support.
fn talk(server: &Server, words: &mut Words, person: &mut Person) {
    let email = format!("{}@{}.example", words.plain(14), words.plain(10));
    let body = json!({"externalUserID": person.id, "email": email});
    let grant = server.post("/v1/auth/exchange", &body).expect(200);
    let token = grant["accessToken"].as_str().unwrap();
    person.words.push(email);
    rate(server, words, person, token);
    let phone = format!("{:015}", words.number(1_000_000_000_000_000));
    let body = json!({"phone": phone});
    let set = server.send("PUT", &path("members/", person), None, &body);
    set.unwrap().expect(200);
    person.words.push(phone);
    let listed = server.get(&path("conversations?externalUserID=", person));
    for conversation in listed["conversations"].as_array().unwrap() {
        let id = conversation["id"].as_str().unwrap();
        let route = format!("/v1/conversations/{id}/messages");
        let (asked, answered) = (words.text(150), words.text(400));
        let body = json!({"message": asked});
        let route_of = ("POST", route.as_str());
        request(&server.agent, server.address, token, route_of, None, &body)
            .unwrap()
            .expect(200);
        let body = json!({"message": answered, "as": "agent"});
        let key = format!("say {id} {}", person.words.len());
        let said = server.send("POST", &route, Some(&key), &body);
        said.unwrap().expect(200);
        person.words.extend([asked, answered]);
        send_file(server, words, person, id);
    }
}

/// The operator sends a file, perhaps one of several pieces, with words at both ends.
fn send_file(server: &Server, words: &mut Words, person: &mut Person, conversation: &str) {
    let [name, first, last] = [20, 40, 40].map(|letters| words.plain(letters));
    let mut file = b"\x89PNG\r\n\x1a\n".to_vec();
    file.extend(first.as_bytes());
    file.extend(vec![b'.'; words.number(90_000)]);
    file.extend(last.as_bytes());
    let key = format!("file {conversation} {}", person.words.len());
    let to = (conversation, name.as_str());
    upload(&server.agent, server.address, to, &key, file)
        .unwrap()
        .expect(201);
    person.words.extend([name, first, last]);
}

#[track_caller]
fn erase(server: &Server, person: &Person) {
    let route = path("members/", person) + "?erase=true";
    let erased = server.send("DELETE", &route, None, &Value::Null);
    erased.unwrap().expect(200);
}

/// The database and the files next to it.
fn files(place: &Place) -> Vec<PathBuf> {
    let names = ["test.db", "test.db-wal", "test.db-shm"];
    names.iter().map(|name| place.path(name)).collect()
}

/// Checks that no word is left in the files of a closed database, or in copies of it.
#[track_caller]
fn assert_gone(place: &Place, search: &Search) {
    for file in files(place) {
        assert_eq!(search.find_in(&file), None);
    }
    let table = |name: &'static str| vec!["export", "--format", "csv", "--table", name];
    let made = [
        vec!["backup"],
        vec!["export"],
        vec!["export", "--with-secrets"],
        table("members"),
        table("ledger"),
        table("redemptions"),
    ];
    for mut arguments in made {
        arguments.extend(["--force", "made"]);
        done(&place.run_on_database(&arguments));
        let found = search.find_in(&place.path("made"));
        assert_eq!(found, None, "{arguments:?}");
    }
    let ended = place.verify();
    let said = &done(&ended).stdout;
    assert!(said.contains("texts were erased"), "{said}");
}

/// Words that are left in the files of a running server.
fn left(place: &Place, search: &Search) -> Option<String> {
    files(place).iter().find_map(|file| search.find_in(file))
}

/// Waits until the files of a running server contain none of the words.
#[track_caller]
fn wait_until_gone(place: &Place, search: &Search) {
    let start = Instant::now();
    while let Some(found) = left(place, search) {
        assert!(start.elapsed() < PATIENCE, "{found}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn all_words<'a>(people: impl IntoIterator<Item = &'a Person>) -> Vec<&'a String> {
    people
        .into_iter()
        .flat_map(|person| &person.words)
        .collect()
}

/// The form in which others are shown.
fn others_as_shown(server: &Server, others: &[Person]) -> Vec<Value> {
    let routes = others.iter().flat_map(|person| {
        [
            path("members/", person),
            path("wallet/transactions?externalUserID=", person),
            format!("/v1/redemptions/{}", person.redemption),
        ]
    });
    let shown = routes.map(|route| {
        let mut shown = server.get(&route);
        // The number of the log up to which a wallet is shown grows with every write.
        if let Some(wallet) = shown.get_mut("wallet").and_then(Value::as_object_mut) {
            wallet.remove("asOf");
        }
        shown
    });
    shown.collect()
}

fn parted(people: Vec<Person>) -> (Vec<Person>, Vec<Person>) {
    let numbered = people.into_iter().enumerate();
    let (leaving, staying): (Vec<_>, Vec<_>) =
        numbered.partition(|(number, _)| number % LEAVES == 1);
    let without_number = |some: Vec<(usize, Person)>| some.into_iter().map(|(_, one)| one);
    (
        without_number(leaving).collect(),
        without_number(staying).collect(),
    )
}

#[test]
fn no_byte_of_an_erased_members_words_is_left_in_any_file() {
    let place = Place::new();
    let receiver = Receiver::start();
    let server = start(&place);
    let body = json!({"url": receiver.url(), "events": CATALOGUE});
    server.post("/v1/webhooks", &body).expect(201);
    let people = create_people(&server, &mut Words::new(1), 40);
    // A stop takes a snapshot.
    server.terminate();
    let (leaving, staying) = parted(people);
    let search = Search::of(all_words(&leaving));
    assert!(search.find_in(&place.database()).is_some());
    let server = start(&place);
    let others = others_as_shown(&server, &staying);
    for person in &leaving {
        erase(&server, person);
    }
    wait_until_gone(&place, &search);
    assert_eq!(others_as_shown(&server, &staying), others);
    assert_eq!(search.find(server.log().as_bytes()), None, "in its log");
    server.terminate();
    assert_gone(&place, &search);
    assert_imported_as_it_is(&place, &search);
}

/// An export after an erasure is the same from another database, whose chain is intact.
#[track_caller]
fn assert_imported_as_it_is(place: &Place, search: &Search) {
    done(&place.run_on_database(&["export", "all.ndjson", "--force"]));
    let other = Place::new();
    std::fs::copy(place.path("all.ndjson"), other.path("all.ndjson")).unwrap();
    done(&other.run_on_database(&["import", "all.ndjson"]));
    assert_gone(&other, search);
    done(&other.run_on_database(&["export", "again.ndjson"]));
    let read = |path: PathBuf| std::fs::read(path).unwrap();
    assert!(read(other.path("again.ndjson")) == read(place.path("all.ndjson")));
    let texts = |place: &Place| -> Vec<(i64, Option<String>, Option<Vec<u8>>)> {
        let connection = place.sqlite();
        let sql = "SELECT seq, text, coalesce(salt, commitment) FROM log_text ORDER BY seq, part";
        let mut statement = connection.prepare(sql).unwrap();
        let rows = statement.query_map([], |row| row.try_into()).unwrap();
        rows.collect::<Result<_, _>>().unwrap()
    };
    let carried = texts(&other);
    assert!(carried.iter().any(|(_, text, _)| text.is_none()));
    assert!(carried.iter().any(|(_, text, _)| text.is_some()));
    assert_eq!(carried, texts(place));
}

#[test]
fn an_erasure_goes_on_under_load_and_after_a_kill() {
    let place = Place::new();
    let server = start(&place);
    let people = create_people(&server, &mut Words::new(2), 20);
    server.set_member("busy");
    let (is_over, credits) = (AtomicBool::new(false), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !is_over.load(Ordering::Relaxed) {
                server.credit("busy", 1);
                credits.fetch_add(1, Ordering::Relaxed);
            }
        });
        erase(&server, &people[3]);
        let search = Search::of(&people[3].words);
        while let Some(found) = left(&place, &search) {
            let is_late = credits.load(Ordering::Relaxed) > CREDITS_MAX;
            is_over.store(is_late, Ordering::Relaxed);
            assert!(!is_late, "{found}");
        }
        is_over.store(true, Ordering::Relaxed);
    });
    erase(&server, &people[7]);
    server.kill();
    let search = Search::of(all_words([&people[3], &people[7]]));
    done(&place.run_on_database(&["backup", "copy.db"]));
    assert_eq!(search.find_in(&place.path("copy.db")), None);
    // It continues without writes.
    let server = start(&place);
    wait_until_gone(&place, &search);
    server.terminate();
    assert_gone(&place, &search);
    // A stop right after the response is enough, too.
    let server = start(&place);
    erase(&server, &people[11]);
    server.terminate();
    assert_gone(&place, &Search::of(&people[11].words));
}

/// A request with a key that was used before.
fn again(server: &Server, route: &str, key: &str, body: &Value) -> Answer {
    server.send("POST", route, Some(key), body).unwrap()
}

#[test]
fn an_old_key_gets_no_words_of_an_erased_member_and_does_nothing() {
    let place = Place::new();
    let server = start(&place);
    server.set_member("ann");
    let offer = server.offer(3);
    let credit = json!({"externalUserID": "ann", "amount": 9, "reason": "a gift"});
    let credited = again(&server, "/v1/wallet/credit", "credit", &credit);
    let booking = json!({"externalUserID": "ann", "offer": offer});
    let booked = again(&server, "/v1/redemptions", "book", &booking).expect(201);
    let cancel = format!("/v1/redemptions/{}/cancel", booked["id"].as_str().unwrap());
    let note = json!({"canceledNote": "ill, sadly"});
    again(&server, &cancel, "cancel", &note).expect(200);
    assert!(again(&server, &cancel, "cancel", &note).is_replay);
    let erased = server.send("DELETE", "/v1/members/ann?erase=true", None, &Value::Null);
    erased.unwrap().expect(200);
    // Another member with the same id.
    server.set_member("ann");
    let before = server.get("/v1/analytics/summary");
    for (route, key, body) in [
        ("/v1/redemptions", "book", &booking),
        (
            "/v1/redemptions",
            "book",
            &json!({"externalUserID": "ann", "offer": "another"}),
        ),
        (cancel.as_str(), "cancel", &note),
    ] {
        let answer = again(&server, route, key, body);
        let told = answer.expect(404);
        assert_eq!(told["error"]["code"], "NOT_FOUND", "{told}");
        assert!(told["error"]["message"].is_string(), "{told}");
        assert!(!answer.is_replay, "{answer:?}");
    }
    // This one contains no words.
    let replayed = again(&server, "/v1/wallet/credit", "credit", &credit);
    assert!(replayed.is_replay);
    assert_eq!(replayed.text, credited.text);
    assert_eq!(server.get("/v1/analytics/summary"), before);
    server.terminate();
}

/// Unpacks the database of a release.
fn unpack_release(release: &str, to: &Path) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/kept");
    let packed = File::open(folder.join(release).join("stampcard.db.gz")).unwrap();
    let mut plain = File::create(to).unwrap();
    std::io::copy(&mut flate2::read::GzDecoder::new(packed), &mut plain).unwrap();
}

/// The sandbox key of the kept databases' first program.
const KEPT_KEY: &str = "expys_sandbox_kept0000000000000000000000000001";

/// Words in unused bytes of the kept databases, of members that 0.1.0 erased.
const ERASED_BEFORE: [&str; 2] = ["gone, erased", "Erased Person"];

/// Words in them of two others: names, messages, attributes, a reason, a note of a cancellation.
const ERASED_NOW: [&str; 12] = [
    "Ada Lovelace",
    "ada@example.com",
    r#""externalUserID":"ada""#,
    "9007199254740993,\"price\":1.10",
    "Hello? Is anybody there?",
    "Good morning,\n\twhat can we do?",
    r#""Quotes", \backslashes\"#,
    "Question 3 about",
    "Answer 4 to the question",
    "guest_12",
    "Guest 12",
    "Grund 12:",
];

#[test]
fn nothing_is_left_of_members_of_0_1_0_in_any_file() {
    let place = Place::new();
    unpack_release("0.1.0", &place.database());
    let (before, now) = (Search::whole(&ERASED_BEFORE), Search::whole(&ERASED_NOW));
    for word in ERASED_NOW.iter().chain(&ERASED_BEFORE) {
        let found = Search::whole(&[word]).find_in(&place.database());
        assert!(found.is_some(), "{word} is not in the kept database");
    }
    let server = start(&place);
    assert_eq!(before.find_in(&place.database()), None);
    let route = |member: &str| format!("/v1/members/{member}?erase=true");
    for member in ["ada", "guest_12"] {
        let route = route(member);
        let of_route = ("DELETE", route.as_str());
        let (agent, address) = (&server.agent, server.address);
        request(agent, address, KEPT_KEY, of_route, None, &Value::Null)
            .unwrap()
            .expect(200);
    }
    wait_until_gone(&place, &now);
    server.terminate();
    assert_gone(&place, &now);
    assert_gone(&place, &before);
    let reasons = "SELECT count(*) FROM log_text t JOIN activity a USING (seq)
                   JOIN member m ON m.id = a.member_id
                   WHERE m.external_user_id LIKE 'erased_%' AND t.text IS NOT NULL";
    let left: i64 = place
        .sqlite()
        .query_row(reasons, [], |row| row.get(0))
        .unwrap();
    assert_eq!(left, 0);
}
