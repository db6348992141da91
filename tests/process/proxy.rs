//! The packaged proxy configuration, in the real proxy in front of the real binary.

use std::io::Write as _;
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::server::{Place, SANDBOX_KEY};

/// Whether nginx and a tool for certificates are installed; with `TEST_NGINX=required` they must
/// be.
fn has_nginx() -> bool {
    let is_there = |program: &str, argument: &str| {
        let mut command = Command::new(program);
        let asked = command.arg(argument).stderr(Stdio::null()).output();
        asked.is_ok_and(|output| output.status.success())
    };
    let all = is_there("nginx", "-v") && is_there("openssl", "version") && is_there("curl", "-V");
    if !all {
        let is_required = std::env::var("TEST_NGINX").is_ok_and(|value| value == "required");
        assert!(!is_required, "nginx, openssl and curl are required");
        let _ = writeln!(
            std::io::stderr(),
            "skipped: the configuration for nginx needs nginx, openssl and curl"
        );
    }
    all
}

/// Ends the proxy when the test ends.
struct Proxy(Child);

impl Drop for Proxy {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn certificate(folder: &Path) {
    let made = Command::new("openssl")
        .args([
            "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
        ])
        .args(["-subj", "/CN=loyalty.example.com", "-keyout"])
        .arg(folder.join("tls.key"))
        .arg("-out")
        .arg(folder.join("tls.pem"))
        .output()
        .unwrap();
    assert!(made.status.success(), "{made:?}");
}

#[test]
fn the_configuration_for_nginx_loads_and_serves_the_api_over_http_2() {
    if !has_nginx() {
        return;
    }
    let place = Place::new();
    let server = place.start();
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path().display();
    certificate(folder.path());
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = free.local_addr().unwrap().port();
    drop(free);
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let shipped = std::fs::read_to_string(root.join("packaging/nginx.conf")).unwrap();
    let site = shipped
        .replace("127.0.0.1:8080", &server.address.to_string())
        .replace("listen 443", &format!("listen 127.0.0.1:{port}"))
        .replace("listen [::]:443", &format!("listen [::1]:{port}"))
        .replace("/etc/ssl/loyalty.example.com", &format!("{here}/tls"));
    let whole = format!(
        "daemon off; master_process off; pid {here}/pid; error_log stderr;\n\
         events {{}}\nhttp {{ access_log off; client_body_temp_path {here}/body; \
         proxy_temp_path {here}/proxied;\n{site}\n}}\n"
    );
    let file = folder.path().join("nginx.conf");
    std::fs::write(&file, whole).unwrap();
    let nginx = || {
        let mut command = Command::new("nginx");
        command.arg("-p").arg(folder.path()).arg("-c").arg(&file);
        command
    };
    let checked = nginx().arg("-t").output().unwrap();
    let said = String::from_utf8_lossy(&checked.stderr);
    assert!(checked.status.success(), "{said}");

    let proxy = Proxy(nginx().stderr(Stdio::null()).spawn().unwrap());
    let start = Instant::now();
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(start.elapsed() < Duration::from_secs(10), "nginx listens");
        std::thread::sleep(Duration::from_millis(20));
    }
    let ask = |path: &str| {
        let asked = Command::new("curl")
            .args([
                "-sk",
                "-o",
                "/dev/null",
                "-w",
                "%{http_version} %{http_code}",
            ])
            .args(["-H", &format!("Authorization: Bearer {SANDBOX_KEY}")])
            .arg(format!("https://127.0.0.1:{port}{path}"))
            .output()
            .unwrap();
        String::from_utf8(asked.stdout).unwrap()
    };
    assert_eq!(ask("/v1/configuration"), "2 200");
    assert_eq!(ask("/metrics"), "2 404");
    drop(proxy);
    server.terminate();
}
