"""What the tests stand on: a recorder that runs, and Gateways that it simulates.

The program is RECORDER_TEST_BINARY, and a certificate for 127.0.0.1 with its key is in the
folder RECORDER_TEST_TLS; `go test ./deploy/python` makes both and says so.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from typing import Any, Callable, Iterator

PATIENCE = 30.0
POLICY = """policy:
  preset: demo
  version_budget_ms: 1000
  ready_budget_ms: 1000
  min_reported_budget_ms: 200
  settle_ms: 100
  probation_spacing_ms: 10
  backoff_base_ms: 50
  backoff_cap_ms: 100
"""


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def await_(what: str, is_so: Callable[[], Any]) -> Any:
    """The first true answer; fails if there is none in time."""
    end = time.monotonic() + PATIENCE
    while True:
        found = is_so()
        if found:
            return found
        if time.monotonic() > end:
            raise AssertionError(f"{what}: not within {PATIENCE:g} s")
        time.sleep(0.01)


def listens(port: int) -> bool:
    """Whether something listens, read without connecting, as for a real Gateway."""
    with open("/proc/net/tcp", encoding="ascii") as f:
        return any(line.split()[1].endswith(f":{port:04X}") and line.split()[3] == "0A" for line in f.readlines()[1:])


class Stand:
    """A recorder of one gateway, main, with a token for the runner robo-1."""

    def __init__(self, tls: bool = False) -> None:
        self.binary = os.environ["RECORDER_TEST_BINARY"]
        self.folder = tempfile.mkdtemp(prefix="ibr")
        self.gateway, self.tap, self.port = free_port(), free_port(), free_port()
        self.url = f"http{'s' if tls else ''}://127.0.0.1:{self.port}"
        self.token_file = os.path.join(self.folder, "robo-1.token")
        made = self.run("token", "new", "robo-1", "--scope", "ingest", "--file", self.token_file, "-o", "json")
        self.config = os.path.join(self.folder, "config.yaml")
        with open(self.config, "w", encoding="ascii", opener=lambda p, f: os.open(p, f, 0o600)) as f:
            f.write(POLICY)
            f.write(f"gateways:\n  - name: main\n    address: 127.0.0.1:{self.gateway}\n    tap: 127.0.0.1:{self.tap}\n")
            f.write(f"http:\n  listen: 127.0.0.1:{self.port}\n")
            if tls:
                pair = os.environ["RECORDER_TEST_TLS"]
                f.write(f"  tls_cert_file: {pair}/cert.pem\n  tls_key_file: {pair}/key.pem\n")
            f.write("  tokens:\n")
            f.write(f"    - name: robo-1\n      scope: ingest\n      sha256: {json.loads(made)['sha256']}\n")
        self._recorder: subprocess.Popen[str] | None = None
        self._sims: list[subprocess.Popen[str]] = []

    def environment(self) -> dict[str, str]:
        """For a program: everything that it needs of the recorder."""
        clean = {k: v for k, v in os.environ.items() if not k.startswith("RECORDER_")}
        return {**clean, "RECORDER_URL": self.url, "RECORDER_TOKEN_FILE": self.token_file, "PYTHONPATH": os.path.dirname(__file__)}

    def run(self, *args: str) -> str:
        done = subprocess.run(
            [self.binary, *args], capture_output=True, text=True, timeout=PATIENCE, env={**os.environ, "IBRECORDER_DATA": self.folder}
        )
        if done.returncode:
            raise AssertionError(f"{' '.join(args)}: {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stdout

    def start(self) -> None:
        log = open(os.path.join(self.folder, "recorder.log"), "a", encoding="utf-8")
        with log:
            self._recorder = subprocess.Popen(
                [self.binary, "run", "--config", self.config, "--data", self.folder], stdout=log, stderr=log, text=True
            )
        await_("the recorder answers", lambda: self.status() and listens(self.port))

    def stop(self, how: int = signal.SIGINT) -> None:
        if self._recorder:
            self._recorder.send_signal(how)
            self._recorder.wait(PATIENCE)
            self._recorder = None

    @contextlib.contextmanager
    def sim(self, behaviour: str = "", script: str = "") -> Iterator[Callable[[], int]]:
        """A Gateway, and how many connects it has seen once it is over."""
        args = ["--behaviour", behaviour] if behaviour else ["--script", "-"]
        p = subprocess.Popen(
            [self.binary, "sim", "--listen", f"127.0.0.1:{self.gateway}", "-o", "json", *args],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        )
        assert p.stdin and p.stdout
        self._sims.append(p)
        p.stdin.write(script)
        p.stdin.close()
        seen: list[int] = []

        def count() -> int:
            if not seen:
                p.send_signal(signal.SIGINT)
                seen.append(json.loads(p.stdout.read())["connects"])  # type: ignore[union-attr]
                p.stdout.close()  # type: ignore[union-attr]
                p.wait(PATIENCE)
            return seen[0]

        try:
            await_("the Gateway listens", lambda: listens(self.gateway))
            yield count
        finally:
            count()

    def get(self, path: str) -> bytes:
        conn = http.client.HTTPConnection("localhost", timeout=5)
        conn.sock = socket.socket(socket.AF_UNIX)
        with contextlib.closing(conn):
            conn.sock.settimeout(5)
            conn.sock.connect(os.path.join(self.folder, "recorder.sock"))
            conn.request("GET", path)
            answer = conn.getresponse()
            body = answer.read()
            if answer.status != 200:
                raise AssertionError(f"{path}: {answer.status} {body!r}")
            return body

    def status(self) -> dict[str, Any] | None:
        with contextlib.suppress(OSError, http.client.HTTPException):
            return json.loads(self.get("/v1/gateways/main"))
        return None

    def events(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.get("/v1/gateways/main/events").splitlines()]

    def kinds(self, source: str = "/runner/robo-1") -> list[str]:
        return [kind(e) for e in self.events() if e["source"] == source]

    def close(self) -> None:
        self.stop()
        for p in self._sims:
            if p.poll() is None:
                p.kill()
                p.wait(PATIENCE)
        shutil.rmtree(self.folder)


def kind(event: dict[str, Any]) -> str:
    return event["type"][len("ibrecorder.") : -len(".v1")]


class Hanging:
    """A recorder that accepts and never answers."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._taken: list[socket.socket] = []
        self._thread = threading.Thread(target=self._accept)
        self._thread.start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                self._taken.append(self._listener.accept()[0])

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(PATIENCE)
        for s in self._taken:
            s.close()


class Forgetful:
    """Stands before a recorder, and loses its first answers to reports. It keeps what was
    sent."""

    def __init__(self, port: int, lose: int):
        self._port, self._lose = port, lose
        self.sent: list[bytes] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                peer = self._listener.accept()[0]
                with peer, contextlib.suppress(OSError):
                    self._relay(peer)

    def _relay(self, peer: socket.socket) -> None:
        peer.settimeout(5)
        asked = b""
        while b"\r\n\r\n" not in asked:
            asked += peer.recv(65536)
        head, _, body = asked.partition(b"\r\n\r\n")
        length = next((int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), 0)
        while len(body) < length:
            body += peer.recv(65536)
        self.sent.append(head + b"\r\n\r\n" + body)
        with socket.create_connection(("127.0.0.1", self._port), 5) as recorder:
            recorder.sendall(head + b"\r\nConnection: close\r\n\r\n" + body)
            answer = b""
            while True:
                part = recorder.recv(65536)
                if not part:
                    break
                answer += part
        if head.startswith(b"POST /v1/events") and self._lose > 0:
            self._lose -= 1
            return
        peer.sendall(answer)

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(PATIENCE)
