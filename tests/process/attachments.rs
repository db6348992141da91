//! Files of conversations: a kill in the middle of uploads, and their way through an export.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::server::{Ended, Place, Server, agent, done, picture, upload};
use crate::transfer::{import, sealed};

const LARGEST: usize = 1 << 20;
const CLIENTS: usize = 4;
/// Kills until one was in the middle of an upload.
const ROUNDS_MAX: usize = 30;

/// The messages of a conversation, newest first.
fn messages(server: &Server, conversation: &str) -> Vec<Value> {
    let path = format!("/v1/conversations/{conversation}/messages?limit=100");
    server.get(&path)["messages"].as_array().unwrap().clone()
}

/// The file of a message, through its address.
#[track_caller]
fn file_of(server: &Server, message: &Value) -> Vec<u8> {
    let path = message["attachments"][0]["url"].as_str().unwrap();
    let url = format!("http://{}{path}", server.address);
    let mut response = server.agent.get(&url).call().unwrap();
    assert_eq!(response.status(), 200);
    response.body_mut().read_to_vec().unwrap()
}

fn count(place: &Place, sql: &str) -> i64 {
    place.sqlite().query_row(sql, [], |row| row.get(0)).unwrap()
}

/// Uploads files until the server is killed; returns the seeds of those that were acknowledged.
fn upload_until_killed(server: Server, conversation: &str, round: usize) -> Vec<u64> {
    let acknowledged = AtomicUsize::new(0);
    let address = server.address;
    std::thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS)
            .map(|client| {
                let acknowledged = &acknowledged;
                scope.spawn(move || {
                    let agent = agent();
                    let mut done = Vec::new();
                    for number in 0.. {
                        let seed = (round * 1000 + client * 100 + number) as u64;
                        let (name, key) = (format!("{seed}.png"), format!("file {seed}"));
                        let file = picture(LARGEST - client, seed);
                        let sent = upload(&agent, address, (conversation, &name), &key, file);
                        match sent {
                            Ok(answer) if answer.status == 201 => done.push(seed),
                            _ => break,
                        }
                        acknowledged.fetch_add(1, Ordering::SeqCst);
                    }
                    done
                })
            })
            .collect();
        while acknowledged.load(Ordering::SeqCst) < CLIENTS {
            std::thread::sleep(Duration::from_millis(1));
        }
        server.kill();
        clients
            .into_iter()
            .flat_map(|client| client.join().unwrap())
            .collect()
    })
}

#[test]
fn a_kill_during_uploads_leaves_whole_files_and_pieces_that_are_removed() {
    let place = Place::new();
    let server = place.start();
    server.set_member("ann");
    let conversation = server.support("ann");
    let mut server = Some(server);
    let mut acknowledged = Vec::new();
    let unfinished = "SELECT count(*) FROM attachment WHERE message_id IS NULL";
    for round in 0..ROUNDS_MAX {
        let running = server.take().unwrap_or_else(|| place.start());
        acknowledged.extend(upload_until_killed(running, &conversation, round));
        // A connection replays the log that the killed server left.
        if count(&place, unfinished) > 0 {
            break;
        }
    }
    assert!(
        count(&place, unfinished) > 0,
        "no kill was in the middle of an upload"
    );
    assert_eq!(place.verify().code, Some(0));
    let server = place.start();
    let shown = messages(&server, &conversation);
    let mut seeds: Vec<u64> = Vec::new();
    for message in &shown {
        let name = message["attachments"][0]["name"].as_str().unwrap();
        let seed: u64 = name.strip_suffix(".png").unwrap().parse().unwrap();
        let size = usize::try_from(message["attachments"][0]["size"].as_u64().unwrap()).unwrap();
        assert!(file_of(&server, message) == picture(size, seed), "{name}");
        seeds.push(seed);
    }
    for seed in &acknowledged {
        assert!(seeds.contains(seed), "{seed} was acknowledged");
    }
    // A retry settles what is not known, once.
    let seed = *acknowledged.last().unwrap();
    let name = format!("{seed}.png");
    let client = seed % 1000 / 100;
    let file = picture(LARGEST - usize::try_from(client).unwrap(), seed);
    let key = format!("file {seed}");
    let again = upload(
        &server.agent,
        server.address,
        (&conversation, &name),
        &key,
        file,
    );
    assert!(again.unwrap().is_replay);
    assert_eq!(messages(&server, &conversation).len(), shown.len());
    server.terminate();

    // As if an hour had passed.
    let overdue = "UPDATE attachment SET discard_at = 1 WHERE message_id IS NULL";
    place.sqlite().execute_batch(overdue).unwrap();
    let server = place.start();
    let begun = Instant::now();
    while count(&place, unfinished) > 0 {
        server.credit("ann", 1);
        assert!(
            begun.elapsed() < Duration::from_secs(20),
            "they are still there"
        );
    }
    server.terminate();
    let pieces = count(&place, "SELECT count(*) FROM attachment_piece");
    assert_eq!(pieces, 16 * i64::try_from(shown.len()).unwrap());
    assert_eq!(place.verify().code, Some(0));
}

/// A database with a file of several pieces and one of a member who was erased, and its export.
fn exported() -> (Place, String) {
    let place = Place::new();
    let server = place.start();
    for (member, size) in [("ann", 150_000), ("bob", 10)] {
        server.set_member(member);
        let to = (&*server.support(member), "plan.png");
        let sent = upload(&server.agent, server.address, to, member, picture(size, 1));
        sent.unwrap().expect(201);
    }
    let erased = server.send("DELETE", "/v1/members/bob?erase=true", None, &Value::Null);
    erased.unwrap().expect(200);
    server.terminate();
    let unfinished =
        "INSERT INTO attachment (program_id, name, type, size, sha256, day, discard_at)
            SELECT program_id, 'cut.png', type, size, sha256, day, 9007199254740991
            FROM attachment WHERE name IS NOT NULL;
        INSERT INTO attachment_piece SELECT max(id), 0, zeroblob(65536) FROM attachment";
    place.sqlite().execute_batch(unfinished).unwrap();
    done(&place.run_on_database(&["export", "--with-secrets", "all.ndjson"]));
    let text = std::fs::read_to_string(place.path("all.ndjson")).unwrap();
    (place, text)
}

#[test]
fn an_export_has_the_bytes_of_files_and_an_import_restores_them() {
    let (place, text) = exported();
    let of = |table: &str| {
        let start = format!("{{\"table\":\"{table}\",");
        text.lines().filter(|line| line.starts_with(&start)).count()
    };
    // Without the unfinished upload, and without pieces of the erased file.
    assert_eq!((of("attachment"), of("attachment_piece")), (2, 3));
    assert!(!text.contains("cut.png"));
    let server = place.start();
    let link = messages(&server, &server.support("ann"))[0].clone();
    server.terminate();
    let other = Place::new();
    done(&import(&other, &text));
    assert!(done(&other.verify()).stdout.contains("1 file was erased"));
    done(&other.run_on_database(&["export", "--with-secrets", "again.ndjson"]));
    let again = std::fs::read_to_string(other.path("again.ndjson")).unwrap();
    assert!(again == text, "the same bytes");
    let server = other.start();
    let message = messages(&server, &server.support("ann"))[0].clone();
    assert_eq!(message["id"], link["id"]);
    // With the secrets, addresses of the old server are valid.
    for message in [message, link] {
        assert!(file_of(&server, &message) == picture(150_000, 1));
    }
    server.terminate();
}

/// The line (the first that contains this text), the text to replace, its replacement, and what the
/// import says.
const BAD: &[(&str, &str, &str, &str)] = &[
    (
        "\"table\":\"attachment_piece\"",
        "\"data\":\"iVBO",
        "\"data\":\"*VBO",
        "attachment_piece.data must be bytes in base64",
    ),
    (
        "\"table\":\"attachment_piece\"",
        "\"data\":\"iVBO",
        "\"data\":\"AVBO",
        "the file does not begin as one of its type",
    ),
    (
        "\"number\":1,",
        "\"data\":\"",
        "\"data\":\"AAAA",
        "length(data) BETWEEN 1 AND 65536",
    ),
    (
        "\"number\":2,",
        "\"data\":\"",
        "\"data\":\"AAAA",
        "the file is not complete",
    ),
    (
        "\"number\":2,",
        "\"number\":2,",
        "\"number\":16,",
        "number BETWEEN 0 AND 15",
    ),
    (
        "\"number\":2,",
        "\"number\":2,",
        "\"number\":3,",
        "the file is not complete",
    ),
    (
        "\"number\":2,",
        "\"number\":2,",
        "\"number\":1,",
        "another row has the same value",
    ),
    (
        "\"number\":2,",
        "\"attachment_id\":1,",
        "\"attachment_id\":9,",
        "attachment_piece.attachment_id: there is no such row of attachment",
    ),
    (
        "\"number\":2,",
        "\"attachment_id\":1,",
        "\"attachment_id\":2,",
        "the file was erased, but they were not",
    ),
    (
        "\"size\":150000",
        "\"size\":150000",
        "\"size\":1048577",
        "size BETWEEN 0 AND 1048576",
    ),
    (
        "\"size\":150000",
        "\"size\":150000",
        "\"size\":150001",
        "the file is not complete",
    ),
    (
        "\"size\":150000",
        "\"plan.png\"",
        "\"../plan.png\"",
        "attachment.name must not contain",
    ),
    ("\"size\":150000", "image/png", "text/html", "type IN ("),
    (
        "\"size\":150000",
        "image/png",
        "image/webp",
        "the file does not begin as one of its type",
    ),
    (
        "\"size\":150000",
        "\"sha256\":\"",
        "\"sha256\":\"00",
        "length(sha256) = 32",
    ),
    (
        "\"size\":150000",
        "\"message_id\":1,",
        "",
        "does not meet the condition",
    ),
    (
        "\"size\":150000",
        "\"message_id\":1,",
        "\"message_id\":2,",
        "attachment.message_id: another row has the same value",
    ),
    (
        "\"size\":150000",
        "\"day\":",
        "\"day\":99",
        "attachment.day must be days since 1970",
    ),
    (
        "\"size\":0",
        "\"size\":0",
        "\"size\":1",
        "does not meet the condition",
    ),
    (
        "\"table\":\"message\"",
        "\"role\":\"agent\"",
        "\"role\":\"member\"",
        "contradict each other",
    ),
];

#[test]
fn a_hostile_file_in_an_import_is_refused() {
    let (_, text) = exported();
    let lines: Vec<&str> = text.lines().collect();
    let body = &lines[..lines.len() - 1];
    for (place, from, to, said) in BAD {
        let index = body.iter().position(|line| line.contains(place)).unwrap();
        let mut changed: Vec<String> = body.iter().map(|line| (*line).to_owned()).collect();
        assert!(
            changed[index].contains(from),
            "{from} in {:.200}",
            changed[index]
        );
        changed[index] = changed[index].replacen(from, to, 1);
        let changed: Vec<&str> = changed.iter().map(String::as_str).collect();
        let place = Place::new();
        let ended: Ended = import(&place, &sealed(&changed));
        assert!(
            ended.refusal().contains(said),
            "{from} {to}: {}",
            ended.refusal()
        );
    }
    done(&import(&Place::new(), &sealed(body)));
}
