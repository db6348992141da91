//! A client in another language, written only from the public documentation of the API, against the
//! real binary.

use std::io::Write as _;
use std::path::Path;
use std::process::Command;

use crate::server::{Place, SANDBOX_KEY};

/// Whether its interpreter is installed; with `TEST_CLIENT=required` it must be.
fn has_python() -> bool {
    let question = "import sys; sys.exit(sys.version_info < (3, 9))";
    let asked = Command::new("python3").args(["-c", question]).status();
    let is_there = asked.is_ok_and(|status| status.success());
    if !is_there {
        let is_required = std::env::var("TEST_CLIENT").is_ok_and(|value| value == "required");
        assert!(!is_required, "python3, 3.9 or newer, is required");
        // Bypasses the output capture of the test harness.
        let _ = writeln!(
            std::io::stderr(),
            "skipped: the client of the documentation needs python3, 3.9 or newer"
        );
    }
    is_there
}

#[test]
fn a_client_written_from_the_documentation_alone_finds_everything_as_documented() {
    if !has_python() {
        return;
    }
    let place = Place::new();
    let mut command = place.serve();
    // Short, so that the client sees tokens expire.
    command.env("STAMPCARD_AUTH__MEMBER_TOKEN_TTL", "3");
    let server = place.start_as(command);
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/client/loyalty_client.py");
    let ran = Command::new("python3")
        .arg("-B")
        .arg(script)
        .arg(format!("http://{}", server.address))
        .arg(SANDBOX_KEY)
        .output()
        .unwrap();
    let printed = String::from_utf8_lossy(&ran.stdout);
    let said = String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success(), "{printed}\n{said}\n{}", server.log());
    assert!(
        printed.ends_with("all 24 steps as documented\n"),
        "{printed}"
    );
    server.terminate();
    let verified = place.verify();
    assert_eq!(verified.code, Some(0), "{verified:?}");
}
