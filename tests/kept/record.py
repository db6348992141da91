"""Records the responses of a release, so that later releases can be compared with it.

    python3 tests/kept/record.py path/to/stampcard tests/kept/0.1.0
    python3 tests/kept/record.py --few path/to/a/debug/build/of/it tests/kept/0.1.0-segments

It starts the given binary on a new database, creates a small history that uses every part of the
API, stops the server, starts it again and records the response to every read. The folder contains

    answers.jsonl.gz   the head (release, time), then a request with its response on each line
    stampcard.db.gz    the database as a clean stop leaves it
    backup.db.gz       its copy by `stampcard backup`
    export.jsonl.gz    its export by `stampcard export --with-secrets`
    members.csv, ledger.csv, redemptions.csv

A line of answers.jsonl is one of these:

    get      a read, repeated against the database
    post     a write with an Idempotency-Key: a repetition is replayed, `other` is a conflict
    stream   the first frames of the activity stream, from its beginning

Left out are the pages and files for browsers, /openapi.json and /metrics, which do not depend on
the database, and the stream of messages, which shows only new ones. Responses that depend on
the clock (the partner's billing and default days, expired offers, tokens) are the same with a clock
that stands at `recordedAt`.

A release closes a segment of its index of idempotency keys after 57,088 records, which would make
the files far too large: in the first recording the tables idempotency_segment, idempotency_list and
idempotency_filter are empty. A debug build of the same sources closes one after 64, so that the
second recording has them. With `--few` only those reads are recorded that show whether a repeated
write took effect.

Everything stays on the loopback address. Only the standard library is needed.
"""

import gzip
import http.client
import http.server
import json
import os
import pathlib
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time

sys.dont_write_bytecode = True

from history import History  # noqa: E402
from reads import Reads  # noqa: E402

PATIENCE = 60.0
KEYS = {
    "SANDBOX_KEY": "expys_sandbox_kept0000000000000000000000000001",
    "LIVE_KEY": "expys_live_kept0000000000000000000000000002",
    "PARTNER_SANDBOX_KEY": "partner_sandbox_kept00000000000000000000000003",
    "PARTNER_LIVE_KEY": "partner_live_kept00000000000000000000000004",
}

EMPTY_IN_A_RELEASE = {"idempotency_segment", "idempotency_list", "idempotency_filter"}


class Server:
    """A running server; `call` sends it a request."""

    def __init__(self, binary, database):
        environment = {f"STAMPCARD_BOOTSTRAP__{name}": key for name, key in KEYS.items()}
        environment["STAMPCARD_WEBHOOKS__PER_SECOND"] = "1000"
        environment["STAMPCARD_LOG__LEVEL"] = "warn"
        self.process = subprocess.Popen(
            [binary, "serve", "--listen", "127.0.0.1:0", "--database", database],
            stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True, env=environment)
        prefix = "stampcard listening on http://"
        for line in self.process.stdout:
            if line.startswith(prefix):
                self.port = int(line.rsplit(":", 1)[1])
                break
        else:
            raise SystemExit("the server did not start")
        # Later output must not fill the pipe.
        threading.Thread(target=self.process.stdout.read, daemon=True).start()
        self.connection = self.connect()

    def connect(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        connection.connect()
        connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection

    def call(self, method, path, credential=None, body=None, key=None):
        """The status, the headers in lower case and the body of the response."""
        headers = {}
        if credential is not None:
            headers["Authorization"] = "Bearer " + credential
        if body is not None:
            headers["Content-Type"] = "application/json"
        if key is not None:
            headers["Idempotency-Key"] = key
        data = body.encode() if body is not None else None
        self.connection.request(method, path, data, headers)
        answer = self.connection.getresponse()
        text = answer.read().decode()
        return answer.status, {k.lower(): v for k, v in answer.getheaders()}, text

    def frames(self, path, credential, count):
        """The first `count` frames of a stream from its beginning, comments left out."""
        connection = self.connect()
        connection.request("GET", path, headers={
            "Authorization": "Bearer " + credential, "Last-Event-ID": "0"})
        answer = connection.getresponse()
        check(answer.status == 200, f"{path}: {answer.status}")
        frames, frame = [], b""
        while len(frames) < count:
            line = answer.readline()
            check(line, f"{path} ended after {len(frames)} of {count} frames")
            frame += line
            if line == b"\n":
                if not frame.startswith(b":"):
                    frames.append(frame.decode())
                frame = b""
        connection.close()
        return frames

    def stop(self):
        """A clean stop: running requests finish, and the database is one file."""
        self.connection.close()
        self.process.send_signal(signal.SIGTERM)
        check(self.process.wait(PATIENCE) == 0, "the server stops cleanly")

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


class Receiver:
    """A receiver of webhooks, which responds to each path with the status in `plan`."""

    def __init__(self):
        self.plan = {}
        plan = self.plan

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                self.send_response(plan.get(self.path, 404))
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                """Logs nothing."""

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.base = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


def check(is_right, what):
    if not is_right:
        raise SystemExit(what)


def run(binary, *arguments):
    """Returns the output of a command, which must succeed."""
    ran = subprocess.run([binary, *arguments], capture_output=True, text=True, env={})
    check(ran.returncode == 0, f"{arguments[0]}: {ran.stdout}{ran.stderr}")
    return ran.stdout


def check_one_file(database):
    """After a clean stop no state is in the other files."""
    log = pathlib.Path(database + "-wal")
    check(not log.exists() or log.stat().st_size == 0, "a clean stop leaves one file")


def empty_tables(database):
    connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
    names = [name for (name,) in connection.execute(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")]
    empty = {name for name in names
             if not connection.execute(f"SELECT EXISTS (SELECT 1 FROM {name})").fetchone()[0]}
    connection.close()
    return empty


def pack(source, target):
    """Packs a file so that the same content always gives the same bytes."""
    with open(source, "rb") as plain, open(target, "wb") as packed:
        with gzip.GzipFile(filename="", fileobj=packed, mode="wb", mtime=0) as out:
            shutil.copyfileobj(plain, out)


def record(binary, folder, work, few):
    database = str(work / "stampcard.db")
    receiver = Receiver()
    server = Server(binary, database)
    try:
        history = History(server, receiver, KEYS, database)
        history.make()
        recorded_at = int(time.time() * 1000)
        check(recorded_at % 86_400_000 < 86_100_000, "too close to midnight (UTC): try again later")
        server.stop()
        check_one_file(database)
        server = Server(binary, database)
        reads = Reads(server, history)
        reads.read_few() if few else reads.read_all()
        server.stop()
        check_one_file(database)
    finally:
        server.kill()
        receiver.stop()

    empty = empty_tables(database)
    check(not empty if few else empty <= EMPTY_IN_A_RELEASE, f"empty tables: {sorted(empty)}")
    report = json.loads(run(binary, "verify", "--json", "--database", database))
    check(report["agrees"], f"verify: {report}")
    backup, export = str(work / "backup.db"), str(work / "export.jsonl")
    run(binary, "backup", backup, "--database", database)
    run(binary, "export", export, "--with-secrets", "--database", database)
    folder.mkdir(parents=True, exist_ok=True)
    for table in ("members", "ledger", "redemptions"):
        run(binary, "export", str(folder / f"{table}.csv"), "--force", "--format", "csv",
            "--table", table, "--database", database)
        (folder / f"{table}.csv").chmod(0o644)

    head = {
        "release": run(binary, "--version").split()[1],
        "recordedAt": recorded_at,
        "figures": report["figures"],
        "emptyTables": sorted(empty),
    }
    answers = work / "answers.jsonl"
    with open(answers, "w", encoding="utf-8", newline="\n") as out:
        for line in [head, *reads.answers, *history.posts]:
            out.write(json.dumps(line, ensure_ascii=False) + "\n")
    for name in ("answers.jsonl", "stampcard.db", "backup.db", "export.jsonl"):
        pack(work / name, folder / f"{name}.gz")

    routes = reads.routes()
    print(f"{len(reads.answers)} reads of {len(routes)} routes, {len(history.posts)} keyed writes, "
          f"{report['figures']} figures; empty: {', '.join(sorted(empty)) or 'no table'}")
    for route, count in sorted(routes.items()):
        print(f"{count:6} {route}")


def main():
    arguments = [argument for argument in sys.argv[1:] if argument != "--few"]
    if len(arguments) != 2:
        raise SystemExit("usage: record.py [--few] BINARY FOLDER")
    binary, folder = os.path.abspath(arguments[0]), pathlib.Path(arguments[1])
    with tempfile.TemporaryDirectory() as work:
        record(binary, folder, pathlib.Path(work), len(arguments) < len(sys.argv) - 1)


if __name__ == "__main__":
    main()
