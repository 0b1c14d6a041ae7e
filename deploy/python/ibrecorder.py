"""Tells ibrecorder what a Python trading program does, and asks it before it connects.

One file, standard library only, Python 3.9 or later:

    import ibrecorder
    ib = ibrecorder.attach(IB(), gateway="main")

and everything else stays as it was, for ib_async and for ib_insync. Recorder is the same
for a program that uses neither.

What it promises to the program that it is attached to:

* connect raises what the library raises, and one error more: GatewayRequiresRestartError,
  while the recorder says that the Gateway needs a manual restart. What passes by itself,
  as a wait after a failure, is waited for as long as the timeout of connect, and then it
  is a ConnectionRefusedError, as it is at the recorder's port.
* The event loop is never blocked. The recorder has a second to answer, and its work is
  done in threads, which end with the program.
* Without an answer the program connects all the same, unless required is set. A stop that
  the recorder has told of stands until it says otherwise, answering or not.
* Reports are kept in order, at most QUEUE of them, sent in batches, and sent again until
  they are stored; the recorder stores each once.
* No text of the broker's leaves the program: kinds, codes, numbers and the names of Python
  exceptions do. Nothing of orders, contracts or accounts is looked at.

README.md beside this file says how each is set up, and which test shows each promise.
"""

from __future__ import annotations

import asyncio
import atexit
import codecs
import contextlib
import errno
import functools
import http.client
import inspect
import ipaddress
import json
import logging
import os
import re
import socket
import ssl
import stat
import threading
import time
import urllib.parse
import uuid
import weakref
from collections import deque
from datetime import datetime, timezone
from typing import Any, Callable

__all__ = ["Attempt", "GatewayRequiresRestartError", "Recorder", "attach"]

log = logging.getLogger("ibrecorder")

# Python imports a codec when it is first used, here by the thread that sends, and a fork
# during that import leaves the child without it for good (a LookupError) or waiting for it.
for _codec in ("ascii", "idna", "latin-1", "utf-8"):  # the token's file, the resolver, HTTP
    codecs.lookup(_codec)

QUEUE = 1000
"""How many reports are kept; beyond that the oldest go, and the log is told how many."""
BATCH = 16
"""How many are sent at once. A runner may send 256 at once and then 5 a second, and asks
for permits out of the same purse, so a backlog must not take it all."""
ANSWER_WITHIN = 1.0
"""Seconds that the recorder has to say whether a program may connect."""
STOPPED_POLL = 2.0
"""Seconds until a stop is looked at again. Looking is not asking, and leaves no event."""
HELD_POLL = 0.5
"""The same for what passes by itself."""
LATE = 60.0
"""Seconds after which silence is told without its limit, and so is no evidence any more:
the Gateway may have been restarted since, and the recorder did not see it."""
FLUSH_AT_EXIT = 2.0
"""Seconds that the end of the program waits for reports that are not stored yet."""
_ASKING = 8  # questions at once; more are not asked, so that a hanging recorder costs 8 threads
_ANSWER_BYTES = 1 << 20

_NAME = re.compile(r"[a-z][a-z0-9-]{0,31}")
_DEGRADED, _RESTORED, _PORT_RESET = (1100, 2110), (1101, 1102), 1300


class GatewayRequiresRestartError(ConnectionError):
    """The Gateway needs a manual restart, and nobody may dial before it is released.

    Trying again is useless until an operator has restarted it; next says what they do.
    """

    requires_restart = True

    def __init__(self, message: str, gateway: str = "", reason: str = "", since: str = "", seq: int = 0, next: str = ""):
        super().__init__(message)
        self.gateway = gateway
        self.reason = reason  # what proved it, such as silent
        self.since = since  # RFC 3339, UTC
        self.seq = seq  # of the restart.required in the log
        self.next = next  # what an operator does and types

    def __reduce__(self) -> tuple[Any, ...]:
        # A worker process may send it to its parent.
        return type(self), (str(self), self.gateway, self.reason, self.since, self.seq, self.next)


class _Unanswered(Exception):
    """The recorder said neither yes nor no. reached says that it may know of the question
    all the same."""

    def __init__(self, why: str, reached: bool = False):
        super().__init__(why)
        self.reached = reached


class _Held(Exception):
    """The recorder said no. stop is set if it is for a restart."""

    def __init__(self, detail: str, wait: float, stop: GatewayRequiresRestartError | None = None):
        super().__init__(detail)
        self.wait, self.stop = wait, stop


class Recorder:
    """One recorder, for one runner and one gateway. It is safe for many threads.

    gateway   its name in the recorder's configuration.
    name      of the runner: that of its token. Default: RECORDER_NAME, else the name of
              the token's file without ".token".
    url       Default: RECORDER_URL, else http://127.0.0.1:7463. https://HOST:PORT, with
              RECORDER_CA_FILE if the certificate is private; or unix:/PATH/TO/recorder.sock,
              where no token is needed.
    token_file  Default: RECORDER_TOKEN_FILE. Only its owner may read it. Or the token
              itself is in RECORDER_TOKEN.
    required  without an answer nobody connects. Default: RECORDER_REQUIRED in
              {1, true, yes}, else False.

    It raises ValueError for a name that cannot be one, and nothing later.
    """

    def __init__(
        self,
        gateway: str = "main",
        *,
        name: str | None = None,
        url: str | None = None,
        token_file: str | None = None,
        required: bool | None = None,
    ):
        env = os.environ.get
        self.gateway = _checked(gateway, "gateway")
        self._token_file = token_file or env("RECORDER_TOKEN_FILE") or ""
        stem = os.path.basename(self._token_file).rsplit(".", 1)[0]
        self.name = _checked(name or env("RECORDER_NAME") or (stem if _NAME.fullmatch(stem) else "python"), "name")
        self.required = _truth(env("RECORDER_REQUIRED")) if required is None else required
        self._door = _Door(url or env("RECORDER_URL") or "http://127.0.0.1:7463")
        self._stop: GatewayRequiresRestartError | None = None  # the last that was told of, until it is over
        self._answers: bool | None = None  # whether it answered the last question
        self._asking = threading.BoundedSemaphore(_ASKING)
        self._outbox = _Outbox(self._post)

    # What a program says.

    def report(self, kind: str, data: dict[str, Any], attempt: str | None = None) -> None:
        """Report a fact, such as gateway.down; docs/events.md has the kinds. It never waits."""
        if _ending:
            return
        event: dict[str, Any] = {
            "specversion": "1.0",
            "id": uuid.uuid4().hex,
            "source": "/runner/" + self.name,
            "type": f"ibrecorder.{kind}.v1",
            "subject": self.gateway,
            "time": datetime.now(timezone.utc).isoformat(timespec="microseconds"),
        }
        if attempt:
            event["attempt"] = attempt
        event["data"] = {k: v for k, v in data.items() if v is not None}
        _recorders.add(self)  # until it is closed, so that the end of the program finds it
        self._outbox.put(event)

    def gateway_down(self, text: str = "") -> None:
        """Say that the Gateway's API is dead and needs a restart: the gate stops at once."""
        self.report("gateway.down", {"reason": "reported", "text": text[:200] or None})

    def permit(self, client_id: int | None = None, timeout: float | None = None) -> Attempt:
        """Ask once whether one may connect now; it takes a second at most.

        timeout is how long the program itself will wait for the Gateway, in seconds. It
        raises GatewayRequiresRestartError, or ConnectionRefusedError for what passes by
        itself. For a program without an event loop; with one, attach does it.
        """
        attempt = Attempt(self, client_id, timeout)
        try:
            self._ask(attempt, time.monotonic(), look=False)
            attempt.leased = attempt.known = True
        except _Held as held:
            raise self._refusal(held) from None
        except _Unanswered as why:
            attempt.known = why.reached
            self._unanswered(why)
        return attempt

    def flush(self, within: float = FLUSH_AT_EXIT) -> bool:
        """Wait so many seconds until all reports are stored; False if some are not."""
        return self._outbox.wait_empty(within)

    def close(self, within: float = FLUSH_AT_EXIT) -> bool:
        """Flush, and end the thread. Later reports begin another."""
        _recorders.discard(self)
        return self._outbox.close(within)

    # What it asks.

    def _ask(self, attempt: Attempt, began: float, look: bool) -> None:
        """Returns if the attempt may be made. look asks without reserving. It blocks."""
        if not self._asking.acquire(blocking=False):
            raise _Unanswered("too many questions are without an answer")
        try:
            # What the last attempt came to frees its place, so it is told first.
            self._outbox.hurry(ANSWER_WITHIN / 2)
            path = f"/v1/gateways/{self.gateway}/permit"
            left = max(0.05, ANSWER_WITHIN - (time.monotonic() - began))
            if look:
                status, head, body = self._call("GET", path, None, "", left)
            else:
                wish = {"attempt": attempt.id, "client_id": attempt.client_id, "source": "/runner/" + self.name}
                if attempt.timeout:
                    wish["timeout_ms"] = int(attempt.timeout * 1000)
                wish = {k: v for k, v in wish.items() if v is not None}
                status, head, body = self._call("POST", path, json.dumps(wish).encode(), "application/json", left)
        except Exception as e:
            reached = isinstance(e, (OSError, http.client.HTTPException)) and not isinstance(
                e, (ConnectionRefusedError, FileNotFoundError, PermissionError, socket.gaierror)
            )
            said = f"{self._door.url} does not answer"
            if self._token_file and getattr(e, "filename", None) == self._token_file:
                said = f"{self._door.url} was not asked, the token in {self._token_file} cannot be read"
            raise _Unanswered(f"{said}: {_named(e)}", reached) from None
        finally:
            self._asking.release()
        if status in (200, 204):
            self._answered()
            self._stop = None
            return
        problem = _object(body)
        if status == 423:
            self._answered()
            wait = HELD_POLL
            self._stop = None
            if problem.get("reason") == "stopped":
                wait, self._stop = STOPPED_POLL, GatewayRequiresRestartError(
                    f"{problem.get('detail', 'restart required')}; {problem.get('next', '')}",
                    self.gateway, problem.get("evidence", ""), problem.get("since", ""), problem.get("seq", 0), problem.get("next", ""),
                )
            elif isinstance(problem.get("retry_after_ms"), int):
                wait = max(0.05, min(1.0, problem["retry_after_ms"] / 1000))
            raise _Held(str(problem.get("detail", "nobody may dial now")), wait, self._stop)
        if status == 429:  # it asks too often, which is what a gate is for
            raise _Held(f"{self.gateway}: asked too often", _retry_after(head, 1.0), self._stop)
        raise _Unanswered(f"{self._door.url} answers {status}: {problem.get('detail', '')}; {problem.get('hint', '')}")

    def _tap_port(self, port: int, within: float) -> bool:
        """Whether a port is the recorder's own, where it asks and sees for itself. It blocks."""
        try:
            status, _, body = self._call("GET", f"/v1/gateways/{self.gateway}", None, "", within)
        except Exception:
            return False
        known = _object(body) if status == 200 else {}
        tap, address = (str(known.get(k, "")).rpartition(":")[2] for k in ("tap", "address"))
        return tap == str(port) and tap != address

    def _answered(self) -> None:
        if self._answers is False:
            log.warning("the recorder at %s answers again", self._door.url)
        self._answers = True

    def _unanswered(self, why: Exception) -> None:
        """Raises what an attempt without an answer comes to, or returns if it may be made."""
        if self._answers is not False:
            self._answers = False
            log.warning("no answer whether %s may be dialled: %s", self.gateway, why)
        if self._stop is not None:
            raise self._restart(self._stop)
        if self.required:
            raise ConnectionRefusedError(errno.ECONNREFUSED, f"the recorder is required, and {why}")

    def _refusal(self, held: _Held) -> ConnectionError:
        if held.stop is not None:
            return self._restart(held.stop)
        return ConnectionRefusedError(errno.ECONNREFUSED, str(held))

    @staticmethod
    def _restart(stop: GatewayRequiresRestartError) -> GatewayRequiresRestartError:
        """A new one each time, for each has the traceback of whoever it is raised to."""
        return GatewayRequiresRestartError(str(stop), stop.gateway, stop.reason, stop.since, stop.seq, stop.next)

    def _call(self, method: str, path: str, body: bytes | None, kind: str, within: float) -> tuple[int, Any, bytes]:
        head = {"Content-Type": kind} if kind else {}
        token = self._token()
        if token:
            head["Authorization"] = "Bearer " + token
        return self._door.call(method, path, body, head, within)

    def _post(self, batch: list[dict[str, Any]]) -> tuple[int, Any, bytes]:
        body = json.dumps(batch).encode()
        return self._call("POST", "/v1/events", body, "application/cloudevents-batch+json", 5.0)

    def _token(self) -> str:
        """The token; it is read each time, because it may be replaced while a program runs."""
        if not self._door.private:
            return ""
        if not self._token_file:
            return os.environ.get("RECORDER_TOKEN", "").strip()
        with open(self._token_file, encoding="ascii") as f:
            mode = os.fstat(f.fileno()).st_mode
            if os.name == "posix" and stat.S_IMODE(mode) & 0o077:
                raise PermissionError(errno.EACCES, f"others can read the token; type: chmod 600 {self._token_file}", self._token_file)
            return f.read(1024).strip()


class Attempt:
    """One connect of a program that was told it may; one of its ends is reported."""

    def __init__(self, recorder: Recorder, client_id: int | None, timeout: float | None):
        self.id = uuid.uuid4().hex
        self.recorder, self.client_id, self.timeout = recorder, client_id, timeout
        self.leased = False  # whether the recorder granted it
        self.known = False  # whether it may know of it, granted or not
        self._began: float | None = None
        self._over = False

    def begin(self) -> None:
        """The program dials now. Without it the time counts from the end's report."""
        self._began = time.monotonic()
        if not self.known:
            self.recorder.report("attempt.requested", {"client_id": self.client_id, "timeout_ms": _ms(self.timeout)}, self.id)

    def succeeded(self, server_version: int = 0) -> None:
        """nextValidId and managedAccounts both came."""
        common = {"client_id": self.client_id, "server_version": server_version or None}
        if self._end("attempt.succeeded", {**common, "elapsed_us": self._elapsed()}):
            self.recorder.report("session.established", common, self.id)

    def failed(self, reason: str, stage: str = "none", code: int = 0, waited: float | None = None, **more: Any) -> None:
        """It ended without ready. docs/events.md has the reasons and the stages.

        waited says that it was time that ended it, in seconds of the stage. With the
        timeout of the attempt it is what silence is judged by.
        """
        data = {
            "reason": reason,
            "stage": stage,
            "client_id": self.client_id,
            "code": code or None,
            "waited_ms": _ms(waited),
            "limit_ms": _ms(self.timeout) if waited is not None else None,
            "elapsed_us": self._elapsed(),
        }
        self._end("attempt.failed", {**data, **more})

    def abandoned(self, stage: str = "none", answered: bool = False) -> None:
        """The program gave up, which proves nothing."""
        self._end("attempt.abandoned", {"stage": stage, "answered": answered, "elapsed_us": self._elapsed()})

    def _end(self, kind: str, data: dict[str, Any]) -> bool:
        if self._over:
            return False
        self._over = True
        self.recorder.report(kind, data, self.id)
        return True

    def _elapsed(self) -> int | None:
        return None if self._began is None else int((time.monotonic() - self._began) * 1e6)


# How it gets there.


class _Door:
    """Where the recorder listens. One connection for each call: a call is rare, and a
    connection that is kept may be half dead. No proxy of the environment is used."""

    def __init__(self, url: str):
        self.url = url
        parts = urllib.parse.urlsplit(url)
        self._path = urllib.parse.unquote(parts.path) if parts.scheme == "unix" else ""
        self._host, self._port = parts.hostname or "", parts.port
        if parts.username or parts.password:  # it would be in every message
            raise ValueError("url: want no user and no password; a token is in RECORDER_TOKEN_FILE")
        self._tls: ssl.SSLContext | None = None
        if parts.scheme == "https":
            self._tls = ssl.create_default_context(cafile=os.environ.get("RECORDER_CA_FILE") or None)
        elif parts.scheme not in ("http", "unix") or not (self._host or self._path):
            raise ValueError("url: want http://HOST:PORT, https://HOST:PORT or unix:/PATH, not another scheme")
        # A token does not go over the network in the clear.
        self.private = parts.scheme == "https" or parts.scheme == "http" and _loopback(self._host)
        if not self.private and not self._path:
            log.warning("no token is sent to %s, because it is neither https nor this computer", self.url)

    def call(self, method: str, path: str, body: bytes | None, head: dict[str, str], within: float) -> tuple[int, Any, bytes]:
        """Raises OSError or HTTPException. A redirect is an answer like any other."""
        if self._path:
            conn: http.client.HTTPConnection = _Unix(self._path, within)
        elif self._tls:
            conn = http.client.HTTPSConnection(self._host, self._port, timeout=within, context=self._tls)
        else:
            conn = http.client.HTTPConnection(self._host, self._port or 7463, timeout=within)
        with contextlib.closing(conn):
            conn.request(method, path, body, head)
            answer = conn.getresponse()
            return answer.status, answer.headers, answer.read(_ANSWER_BYTES)


class _Unix(http.client.HTTPConnection):
    def __init__(self, path: str, within: float):
        super().__init__("localhost", timeout=within)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


class _Outbox:
    """Reports on their way, in order. One thread of its own sends them; it begins with the
    first report and is the only one that takes reports out."""

    def __init__(self, post: Callable[[list[dict[str, Any]]], tuple[int, Any, bytes]]):
        self._post = post
        self.reset()

    def reset(self) -> None:
        """Everything anew, as in the child of a fork: what waits is its parent's to send."""
        self._changed = threading.Condition()  # guards the rest
        self._waiting: deque[tuple[float, dict[str, Any]]] = deque()
        self._lost = 0
        self._thread: threading.Thread | None = None
        self._closing = False
        self._pausing = False
        self._failures = 0
        self._complained = ""

    def put(self, event: dict[str, Any]) -> None:
        with self._changed:
            if len(self._waiting) >= QUEUE:
                self._waiting.popleft()
                self._lost += 1
            self._waiting.append((time.monotonic(), event))
            self._changed.notify_all()
            if self._thread is None:
                thread = threading.Thread(target=self._run, name="ibrecorder", daemon=True)
                try:
                    thread.start()
                    self._thread = thread
                except RuntimeError:  # the interpreter ends; close sends it
                    pass

    def wait_empty(self, within: float) -> bool:
        with self._changed:
            return self._changed.wait_for(lambda: not self._waiting, within)

    def hurry(self, within: float) -> None:
        """Sends what waits now, whatever pause there is, until a batch is not taken."""
        with self._changed:
            failures = self._failures
            self._pausing = False
            self._changed.notify_all()
            self._changed.wait_for(lambda: not self._waiting or self._failures != failures, within)

    def close(self, within: float) -> bool:
        end = time.monotonic() + within
        with self._changed:
            thread = self._thread
        if thread is None:
            self._send_some()
        else:
            self.wait_empty(within)
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        if thread is not None:
            thread.join(max(0.0, end - time.monotonic()))
        with self._changed:
            self._closing = False
            return not self._waiting

    def _run(self) -> None:
        pause = 0.0
        while True:
            with self._changed:
                if pause:
                    self._failures += 1
                    self._pausing = True
                    self._changed.notify_all()
                    self._changed.wait_for(lambda: self._closing or not self._pausing, pause)
                else:
                    self._changed.wait_for(lambda: self._waiting or self._closing)
                if self._closing:
                    self._thread = None
                    return
            pause = self._send_some(pause)

    def _send_some(self, pause: float = 0.0) -> float:
        """Sends the next batch. Returns how long to wait before the next: 0 if it was stored."""
        with self._changed:
            batch = list(self._waiting)[:BATCH]
            lost = self._lost
        if not batch:
            return 0.0
        sent = [_aged(event, time.monotonic() - at) for at, event in batch]
        if lost:
            sent.insert(0, _told_lost(batch[0][1], lost))
        try:
            status, head, body = self._post(sent)
        except Exception as e:
            self._complain(f"reports are kept, and sent again: {_named(e)}")
            return min(5.0, pause * 2 or 0.1)
        if status == 201:
            self._complained = ""
            self._drop(batch)
            with self._changed:
                self._lost -= lost
            return 0.0
        if status in (400, 404, 409, 413):
            if len(sent) > 1:  # one of them is at fault, and nothing or a part is stored
                return self._one_by_one(batch)
            self._complain(f"a report is given up: {_object(body).get('detail', status)}")
            self._drop(batch)
            return 0.0
        self._complain(f"reports are kept, and sent again: {status} {_object(body).get('detail', '')}; {_object(body).get('hint', '')}")
        return _retry_after(head, min(30.0, pause * 2 or 0.25))

    def _one_by_one(self, batch: list[tuple[float, dict[str, Any]]]) -> float:
        for item in batch:
            try:
                status, head, body = self._post([_aged(item[1], time.monotonic() - item[0])])
            except Exception:
                return 0.25
            if status in (400, 404, 409, 413):
                self._complain(f"a report is given up: {_object(body).get('detail', status)}")
            elif status != 201:
                return _retry_after(head, 0.25)
            self._drop([item])
        return 0.0

    def _drop(self, batch: list[tuple[float, dict[str, Any]]]) -> None:
        """Takes out what was sent, unless the queue has lost it meanwhile."""
        with self._changed:
            for item in batch:
                if self._waiting and self._waiting[0] is item:
                    self._waiting.popleft()
                else:
                    with contextlib.suppress(ValueError):
                        self._waiting.remove(item)
                        continue
                    self._lost -= 1  # it went, and is stored all the same
            self._changed.notify_all()

    def _complain(self, what: str) -> None:
        """Says it once, until it is something else or was well in between."""
        if what != self._complained:
            self._complained = what
            log.warning("%s", what)


def _aged(event: dict[str, Any], age: float) -> dict[str, Any]:
    if age < LATE or "limit_ms" not in event["data"]:
        return event
    return {**event, "data": {k: v for k, v in event["data"].items() if k != "limit_ms"}}


def _told_lost(like: dict[str, Any], lost: int) -> dict[str, Any]:
    """A note before the oldest report that is left; its name is that of the report, so
    that it is the same when it is sent again."""
    who = like["source"].rpartition("/")[2]
    return {
        **{k: v for k, v in like.items() if k != "attempt"},
        "id": f"{like['id']}-lost-{lost}",
        "type": "ibrecorder.operator.noted.v1",
        "data": {"by": who, "text": f"{lost} reports before this one were dropped, because the recorder did not take them in time"},
    }


# What ib_async and ib_insync do.


def attach(
    ib: Any,
    gateway: str = "main",
    on_held: str = "raise",
    *,
    tap: bool | None = None,
    recorder: Recorder | None = None,
    **settings: Any,
) -> Any:
    """Attach to an IB of ib_async or ib_insync, and return it.

    on_held  what connect does while a restart is required: "raise" raises
             GatewayRequiresRestartError at once; "wait" waits until the gate is released,
             without an end of its own, which is what Watchdog needs.
    tap      whether the program connects through the recorder's port, where the recorder
             asks and sees for itself. Default: found out by the port.
    recorder one that is there already; otherwise settings are those of Recorder.

    It raises ValueError for an on_held, a name or a url that cannot be one.
    """
    if on_held not in ("raise", "wait"):
        raise ValueError('on_held: want "raise", or "wait" with Watchdog')
    if isinstance(getattr(ib.connectAsync, "__self__", None), _Attached):
        return ib
    _Attached(ib, recorder or _recorder_of(gateway, **settings), on_held == "wait", tap)
    return ib


def _recorder_of(gateway: str, **settings: Any) -> Recorder:
    """The same for the same settings: many programs make an IB for each connect, and a
    stop is remembered, and a thread there, once for all of them."""
    env = {k: v for k, v in os.environ.items() if k.startswith("RECORDER_")}
    key = repr((gateway, sorted(settings.items()), sorted(env.items())))
    if key not in _made:
        _made[key] = Recorder(gateway, **settings)
    return _made[key]


def _quiet(handler: Callable[..., None]) -> Callable[..., None]:
    """Nothing that goes wrong here may reach the program."""

    @functools.wraps(handler)
    def quietly(*args: Any, **kwargs: Any) -> None:
        try:
            handler(*args, **kwargs)
        except Exception:
            log.debug("in %s", handler.__name__, exc_info=True)

    return quietly


class _Attached:
    """Stands before connectAsync and disconnect of one IB, and listens to its events. All
    of it runs on the thread of the program's event loop."""

    def __init__(self, ib: Any, recorder: Recorder, wait: bool, tap: bool | None):
        self.recorder, self._wait, self._tap = recorder, wait, tap
        self._isConnected, self._client = ib.isConnected, ib.client
        self._connect, self._disconnect = ib.connectAsync, ib.disconnect
        self._signature = inspect.signature(ib.connectAsync)
        self._attempt: Attempt | None = None  # the one under way, or whose session is
        self._wanted = ""  # the attempt that an answer is still good for
        self._open_question: Attempt | None = None  # one that is asked for and may be granted
        self._task: Any = None  # that connects
        self._through_tap = False
        self._forget()
        _attached.add(self)
        ib.connectAsync, ib.disconnect = self.connectAsync, self.disconnect
        # Eventkit holds bound methods weakly unless it is told otherwise.
        for event, handler in (
            (ib.disconnectedEvent, self._on_disconnected),
            (ib.errorEvent, self._on_error),
            (self._client.apiStart, self._on_ready),
            (self._client.apiError, self._on_api_error),
        ):
            event.connect(handler, keep_ref=True)
        conn: Any = getattr(self._client, "conn", None)
        self._sees_bytes = hasattr(conn, "hasData") and hasattr(conn, "disconnected")
        if self._sees_bytes:
            conn.hasData.connect(self._on_data, keep_ref=True)
            conn.disconnected.connect(self._on_closed, keep_ref=True)

    def _forget(self) -> None:
        self._bytes = self._version = self._code = 0
        self._ready_at: float | None = None
        self._closed = ""  # how the Gateway closed, before ready
        self._dropped = ""  # how it closed a session
        self._asked = False  # whether the program asked for the end
        self._port_reset = False

    async def connectAsync(self, *args: Any, **kwargs: Any) -> Any:
        """The library's, once the recorder lets it."""
        try:
            call = self._signature.bind(*args, **kwargs)
        except TypeError:
            return await self._connect(*args, **kwargs)  # and it says what is wrong
        call.apply_defaults()
        given = call.arguments
        timeout = given.get("timeout")
        attempt = Attempt(
            self.recorder, _integer(given.get("clientId")), float(timeout) if isinstance(timeout, (int, float)) and timeout > 0 else None
        )
        await self._admitted(attempt, _integer(given.get("port")))
        self._forget()
        self._attempt, self._task = attempt, _current_task()
        if not self._through_tap:
            attempt.begin()
        try:
            result = await self._connect(*args, **kwargs)
        except BaseException as e:
            self._failed(attempt, e)
            raise
        finally:
            self._task = None
        self._on_ready()  # a library without that event
        return result

    def disconnect(self, *args: Any, **kwargs: Any) -> Any:
        """The library's, which is reported first."""
        self._on_request()
        return self._disconnect(*args, **kwargs)

    async def _admitted(self, attempt: Attempt, port: int | None) -> None:
        """Returns once the attempt may be made."""
        began, look = time.monotonic(), False
        self._wanted = attempt.id
        try:
            while True:
                try:
                    if await self._answer(attempt, port, look):
                        return
                    look = False  # nothing holds it now: ask
                    continue
                except _Held as held:
                    patient = self._wait or held.stop is None and not (attempt.timeout and time.monotonic() - began >= attempt.timeout)
                    if not patient:
                        raise self.recorder._refusal(held) from None
                    look, pause = True, held.wait
                except _Unanswered as why:
                    try:
                        self.recorder._unanswered(why)
                        return
                    except ConnectionError:
                        if not self._wait:
                            raise
                    pause = STOPPED_POLL
                await asyncio.sleep(pause)
        except BaseException:
            self._wanted = ""
            raise

    async def _answer(self, attempt: Attempt, port: int | None, look: bool) -> bool:
        """Asks in a thread. True if the attempt may be made, False if one may ask again."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[bool] = loop.create_future()

        def settle(through: bool, error: Exception | None) -> None:
            self._open_question = None
            if answer.done():
                return
            self._through_tap = through
            if not through and not look:
                attempt.leased = error is None
                attempt.known = not isinstance(error, _Unanswered) or error.reached
            if error:
                answer.set_exception(error)
            else:
                answer.set_result(not look or through)

        def ask() -> None:
            began, error, through = time.monotonic(), None, bool(self._tap)
            try:
                if self._tap is None and port is not None:
                    through = self.recorder._tap_port(port, ANSWER_WITHIN / 2)
                self.recorder._ask(attempt, began, look or through)
            except Exception as e:
                error = e if isinstance(e, (_Held, _Unanswered)) else _Unanswered(_named(e))
            if error is None and not look and not through and self._wanted != attempt.id:
                attempt.abandoned()  # who asked is gone, and others wait
            with contextlib.suppress(RuntimeError):  # the loop is closed
                loop.call_soon_threadsafe(settle, through, error)

        if _ending:
            raise _Unanswered("the program ends")
        self._open_question = None if look else attempt
        try:
            threading.Thread(target=ask, name="ibrecorder-permit", daemon=True).start()
        except RuntimeError as e:  # no more threads, or the interpreter ends
            raise _Unanswered(str(e)) from None
        try:
            return await asyncio.wait_for(answer, ANSWER_WITHIN)
        except asyncio.TimeoutError:
            attempt.known = True
            raise _Unanswered(f"the recorder did not answer within {ANSWER_WITHIN:g} s") from None

    def leave(self) -> None:
        """The program ends, and with it what is under way."""
        if self._attempt is None:
            if self._open_question is not None:
                self._open_question.abandoned()
        elif self._ready_at is None:
            self._failed(self._attempt, KeyboardInterrupt())
        else:
            self._asked = True
            self._on_disconnected()

    # What is seen.

    @_quiet
    def _on_data(self, data: bytes) -> None:
        if self._ready_at is None:
            self._bytes += len(data)
            self._version = self._version or int(self._client.serverVersion() or 0)

    @_quiet
    def _on_closed(self, message: str) -> None:
        if self._task is not None and self._ready_at is None:
            self._closed = "rst" if message else "fin"

    @_quiet
    def _on_ready(self) -> None:
        if self._attempt is None or self._ready_at is not None:
            return
        self._ready_at = time.monotonic()
        if not self._through_tap:
            self._attempt.succeeded(int(self._client.serverVersion() or 0))

    @_quiet
    def _on_error(self, req_id: int, code: int, *_: Any) -> None:
        if self._attempt is None or self._through_tap:
            return
        if self._ready_at is None:
            if req_id == -1 and not 2100 <= code < 2200 and code not in _DEGRADED + _RESTORED:
                self._code = self._code or code
            return
        if code in _DEGRADED:
            self.recorder.report("session.degraded", {"code": code}, self._attempt.id)
        elif code in _RESTORED:
            self.recorder.report("session.restored", {"code": code}, self._attempt.id)
        self._port_reset = self._port_reset or code == _PORT_RESET

    @_quiet
    def _on_api_error(self, message: str) -> None:
        # In a session the library has it for one thing alone, that the Gateway's side
        # has closed, and says so before it says that it is disconnected.
        if self._ready_at is not None:
            self._dropped = "fin" if message.startswith("Peer closed") else "rst"

    @_quiet
    def _on_request(self) -> None:
        if not self._isConnected() or self._task is not None and _current_task() is self._task:
            return  # there is nothing to end, or the library cleans up after a failure
        mid_handshake = self._ready_at is None
        forced = os.environ.get("IBKR_FORCE_DISCONNECT")
        self._asked = True
        self.recorder.report(
            "disconnect.requested",
            {
                "by": self.recorder.name,
                "client_id": self._attempt.client_id if self._attempt else None,
                "reason": "the program called disconnect" + (" during a handshake" if mid_handshake else ""),
                "force": _truth(forced),
                "force_env": (forced or "")[:16] or None,
            },
            self._attempt.id if self._attempt and not self._through_tap else None,
        )

    @_quiet
    def _on_disconnected(self) -> None:
        attempt, ready_at = self._attempt, self._ready_at
        if attempt is None or ready_at is None:
            return
        self._attempt = None
        if self._through_tap:
            return
        elapsed = int((time.monotonic() - ready_at) * 1e6)
        if self._asked or not self._dropped:
            self.recorder.report("session.closed", {"by": "client", "how": "fin", "elapsed_us": elapsed}, attempt.id)
        else:
            why = "port_reset" if self._port_reset else self._dropped
            self.recorder.report("session.lost", {"reason": why, "elapsed_us": elapsed}, attempt.id)

    @_quiet
    def _failed(self, attempt: Attempt, e: BaseException) -> None:
        """Says why it failed, by what was seen and never by a text. After ready it is a
        session that ends, and the library says so."""
        if self._through_tap or self._ready_at is not None:
            return
        self._attempt = None
        more: dict[str, Any] = {"text": type(e).__name__}
        timed_out = isinstance(e, (asyncio.TimeoutError, TimeoutError))
        connected = getattr(getattr(self._client, "conn", None), "numMsgSent", 0) > 0
        stage = "started" if self._version else "connected" if connected or self._bytes else "dial"
        if self._asked or not isinstance(e, Exception) or isinstance(e, asyncio.CancelledError):
            attempt.abandoned(stage, answered=self._bytes > 0)
        elif self._code in (326, 10141):
            reason = "client_id_in_use" if self._code == 326 else "disclaimer_pending"
            attempt.failed(reason, stage, self._code, **more)
        elif self._code:
            attempt.failed("error_before_ready", stage, self._code, **more)
        elif isinstance(e, ConnectionRefusedError):
            attempt.failed("refused", "dial", **more)
        elif self._closed:
            if self._version:
                reason = "closed_before_ready"
            else:
                reason = "bad_version" if self._bytes else self._closed + "_before_version"
            attempt.failed(reason, stage, by="gateway", how=self._closed, gateway_bytes=self._bytes or None, **more)
        elif timed_out and not self._sees_bytes:
            attempt.failed("reported_timeout", "none", waited=attempt.timeout, **more)
        elif timed_out:
            reason = {"dial": "dial_timeout", "connected": "accepted_no_bytes", "started": "version_no_ready"}[stage]
            if stage == "connected" and self._bytes:
                reason = "bad_version"  # part of a reply is no silence
            attempt.failed(reason, stage, waited=attempt.timeout, **more)
        elif isinstance(e, OSError) and stage == "dial":
            attempt.failed("unreachable", "dial", **more)
        else:
            attempt.abandoned(stage if stage != "dial" else "none", answered=self._bytes > 0)


# Small things.


def _checked(name: str, what: str) -> str:
    if not _NAME.fullmatch(name):
        raise ValueError(f"{what}: want a lower-case letter, then at most 31 of a-z, 0-9 and -")
    return name


def _truth(text: str | None) -> bool:
    return (text or "").strip().lower() in ("1", "true", "yes")


def _loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _integer(value: Any) -> int | None:
    try:
        return int(value)
    except (TypeError, ValueError):
        return None


def _ms(seconds: float | None) -> int | None:
    return None if seconds is None else int(seconds * 1000)


def _named(e: BaseException) -> str:
    """An error without what it may quote, but for the system's own and ours."""
    if isinstance(e, OSError) and e.strerror:
        return f"{type(e).__name__}: {e.strerror}"
    return type(e).__name__


def _object(body: bytes) -> dict[str, Any]:
    try:
        value = json.loads(body)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _retry_after(head: Any, otherwise: float) -> float:
    text = head.get("Retry-After", "")
    return min(30.0, max(otherwise, float(text))) if text.isdigit() else otherwise


def _current_task() -> Any:
    try:
        return asyncio.current_task()
    except RuntimeError:  # not on an event loop
        return None


# The ends of processes.

_recorders: set[Recorder] = set()  # that have reported and were not closed
_made: dict[str, Recorder] = {}  # by what attach was given
_attached: weakref.WeakSet[_Attached] = weakref.WeakSet()
_ending = False


def _at_exit() -> None:
    # What comes later, such as the end of a coroutine that is thrown away, must start no
    # thread: it would wait for it for ever.
    global _ending
    for a in list(_attached):
        a.leave()
    _ending = True
    end = time.monotonic() + FLUSH_AT_EXIT
    for r in list(_recorders):
        r.close(max(0.0, end - time.monotonic()))


def _after_fork() -> None:
    for r in {*_recorders, *_made.values()}:
        r._asking = threading.BoundedSemaphore(_ASKING)
        r._outbox.reset()


atexit.register(_at_exit)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
