"""What ibrecorder.py promises, against a recorder that runs and Gateways that it simulates.

Run by: go test ./deploy/python
"""

from __future__ import annotations

import ast
import asyncio
import contextlib
import json
import logging
import os
import pickle
import signal
import subprocess
import sys
import textwrap
import time
import tracemalloc
import unittest
from typing import Any

import ibrecorder
import standin
from ibrecorder import GatewayRequiresRestartError, Recorder, attach
from stand import Forgetful, Hanging, Stand, await_, free_port, kind

OWN = [  # of a runner whose attempt succeeds, and that leaves
    "attempt.requested",
    "attempt.succeeded",
    "session.established",
    "disconnect.requested",
    "session.closed",
]


class Case(unittest.TestCase):
    def setUp(self) -> None:
        # A machine that is busy with other tests may need more than a second.
        self.set("ANSWER_WITHIN", 10.0)

    def set(self, name: str, value: float) -> None:
        self.addCleanup(setattr, ibrecorder, name, getattr(ibrecorder, name))
        setattr(ibrecorder, name, value)

    def stand(self) -> Stand:
        s = Stand()
        self.addCleanup(s.close)
        s.start()
        return s

    def recorder(self, s: Stand, **settings: Any) -> Recorder:
        r = Recorder("main", **{"url": s.url, "token_file": s.token_file, **settings})
        self.addCleanup(r.close, 0)
        return r

    def ib(self, r: Recorder, on_held: str = "raise") -> Any:
        return attach(standin.IB(), on_held=on_held, recorder=r)

    def holds(self, s: Stand) -> None:
        broken = [e for e in s.events() if kind(e) == "rule.violated"]
        self.assertEqual([], broken)


FIN, RST = ("hello\nwait start-api\nready\nsilence 300ms\n" + end for end in ("fin\n", "rst\n"))
PORT_RESET = 'hello\nwait start-api\nready\nsilence 300ms\nerror -1 1300 "another port"\nfin\n'


class TestTheStandIn(Case):
    """ib_async 2.0.1 against the same Gateways showed these errors and events."""

    CASES = (
        ("nothing listens", None, "ConnectionRefusedError", ["apiError"]),
        ("it accepts and closes", "fin-before-version", "TimeoutError", ["apiError"]),
        ("it accepts and is silent", "silent", "TimeoutError", ["apiError"]),
        ("its version, an error, and a close", "client-id-in-use", "TimeoutError", ["error", "apiError", "apiError"]),
        ("it works, and the program leaves", "healthy", "", ["apiStart", "connected", "disconnected"]),
        ("it works, and the Gateway closes", FIN, "", ["apiStart", "connected", "apiError", "disconnected", "apiEnd"]),
    )

    def test_it_does_what_ib_async_was_seen_to_do(self) -> None:
        s = Stand()
        self.addCleanup(s.close)
        for name, behaviour, error, want in self.CASES:
            with self.subTest(name), contextlib.ExitStack() as stack:
                if behaviour:
                    stack.enter_context(s.sim(script=behaviour) if "\n" in behaviour else s.sim(behaviour))
                ib, seen, raised = standin.IB(), [], ""
                for event, word in (
                    (ib.client.apiStart, "apiStart"), (ib.connectedEvent, "connected"), (ib.client.apiError, "apiError"),
                    (ib.errorEvent, "error"), (ib.disconnectedEvent, "disconnected"), (ib.client.apiEnd, "apiEnd"),
                ):
                    event.connect(lambda *_, word=word: seen.append(word))

                async def go() -> None:
                    await ib.connectAsync(port=s.gateway, timeout=0.3)
                    if "apiEnd" in want:
                        await until(lambda: "apiEnd" in seen)
                    ib.disconnect()

                try:
                    asyncio.run(go())
                except Exception as e:
                    raised = type(e).__name__
                self.assertEqual((error, want), (raised, seen))


class TestAttempts(Case):
    def test_one_that_succeeds(self) -> None:
        for how in ("connectAsync", "connect"):
            with self.subTest(how):
                s = self.stand()
                r = self.recorder(s)
                ib = self.ib(r)
                with s.sim("healthy") as seen:
                    if how == "connect":
                        self.assertIs(ib, ib.connect(port=s.gateway, clientId=7))
                        ib.disconnect()
                        ib.loop.run_until_complete(asyncio.sleep(0))
                        ib.loop.close()
                    else:
                        asyncio.run(connect(ib, s))
                    self.assertTrue(r.flush(10))
                    self.assertEqual(1, seen())
                self.assertEqual(OWN, s.kinds())
                of_one = {e.get("attempt") for e in s.events() if e["source"] == "/runner/robo-1"}
                self.assertEqual(1, len(of_one), of_one)
                self.assertEqual(1, s.kinds("/recorder").count("attempt.permitted"))
                succeeded = next(e for e in s.events() if kind(e) == "attempt.succeeded")
                self.assertEqual((7, 176), (succeeded["data"]["client_id"], succeeded["data"]["server_version"]))
                self.assertRegex(succeeded["sourcetime"], r"^20\d\d-.*\+00:00$")
                self.holds(s)

    def test_each_failure_has_the_reason_that_was_seen(self) -> None:
        for behaviour, reason, stage, gate in (
            (None, "refused", "dial", "BACKOFF"),
            ("silent", "accepted_no_bytes", "connected", "STOPPED"),
            ("no-ready", "version_no_ready", "started", "STOPPED"),
            ("half-frame", "bad_version", "connected", "OPEN"),
            ("fin-before-version", "fin_before_version", "connected", "BACKOFF"),
            ("rst-before-version", "rst_before_version", "connected", "BACKOFF"),
            ("close-after-version", "closed_before_ready", "started", "BACKOFF"),
            ("client-id-in-use", "client_id_in_use", "started", "OPEN"),
            ("disclaimer", "disclaimer_pending", "started", "BACKOFF"),
        ):
            with self.subTest(behaviour or "nothing listens"), contextlib.ExitStack() as stack:
                s = self.stand()
                stack.callback(s.stop)
                if behaviour:
                    stack.enter_context(s.sim(behaviour))
                r = self.recorder(s)
                with self.assertRaises((asyncio.TimeoutError, ConnectionRefusedError)):
                    asyncio.run(connect(self.ib(r), s))
                self.assertTrue(r.flush(10))
                failed = next(e for e in s.events() if kind(e) == "attempt.failed")
                self.assertEqual((reason, stage), (failed["data"]["reason"], failed["data"]["stage"]))
                self.assertIn(failed["data"]["text"], ("TimeoutError", "ConnectionRefusedError"))
                if gate == "STOPPED":
                    await_("the gate stops", lambda: (s.status() or {})["gate"] == "STOPPED")
                else:
                    self.assertNotIn("restart.required", s.kinds("/recorder"))
                self.holds(s)

    def test_what_ends_a_session(self) -> None:
        for script, why in ((FIN, "fin"), (RST, "rst"), (PORT_RESET, "port_reset")):
            with self.subTest(why):
                s = self.stand()
                r = self.recorder(s)
                with s.sim(script=script):
                    asyncio.run(connect(self.ib(r), s, stay=True))
                    self.assertTrue(r.flush(10))
                last = s.events()[-1]
                self.assertEqual(("session.lost", why), (kind(last), last["data"]["reason"]))
                self.holds(s)

    def test_the_loss_of_ib_and_its_end(self) -> None:
        s = self.stand()
        r = self.recorder(s)
        ib = self.ib(r)
        with s.sim("upstream-lost"):

            async def go() -> None:
                codes: list[int] = []
                ib.errorEvent.connect(lambda _, code, *__: codes.append(code))
                await ib.connectAsync(port=s.gateway, timeout=2)
                await until(lambda: 1102 in codes)
                standin.IB.disconnect(ib)  # past the adapter, as some programs do

            asyncio.run(go())
            self.assertTrue(r.flush(10))
        self.assertEqual(
            ["attempt.requested", "attempt.succeeded", "session.established", "session.degraded", "session.restored", "session.closed"],
            s.kinds(),
        )

    def test_a_cancelled_one_is_abandoned_and_the_cancellation_passes(self) -> None:
        s = self.stand()
        r = self.recorder(s)
        with s.sim("silent"):

            async def go() -> None:
                ib = self.ib(r)
                task = asyncio.ensure_future(ib.connectAsync(port=s.gateway, timeout=60))
                await until(lambda: ib.client.conn.numMsgSent > 0)
                task.cancel()
                with self.assertRaises(asyncio.CancelledError):
                    await task

            asyncio.run(go())
            self.assertTrue(r.flush(10))
        self.assertEqual(["attempt.requested", "attempt.abandoned"], s.kinds())

    def test_through_the_recorders_port_it_is_one_attempt(self) -> None:
        s = self.stand()
        r = self.recorder(s)
        with s.sim("healthy") as seen:
            asyncio.run(connect(self.ib(r), s, port=s.tap))
            self.assertTrue(r.flush(10))
            self.assertEqual(1, seen())
        self.assertEqual(["disconnect.requested"], s.kinds())
        totals = (s.status() or {})["totals"]
        self.assertEqual((1, 1, 1), (totals["requested"], totals["permitted"], totals["succeeded"]))
        self.holds(s)


class TestHeld(Case):
    def test_a_stop_is_raised_and_the_gateway_sees_nothing(self) -> None:
        s = self.stand()
        r = self.recorder(s)
        with s.sim("silent") as seen:
            with self.assertRaises(asyncio.TimeoutError):
                asyncio.run(connect(self.ib(r), s))
            for _ in range(3):
                with self.assertRaises(GatewayRequiresRestartError) as caught:
                    asyncio.run(connect(self.ib(r), s))
            self.assertEqual(1, seen())
        e = caught.exception
        self.assertEqual((True, "main", "silent"), (e.requires_restart, e.gateway, e.reason))
        self.assertIn("recorder resume main", e.next)
        stop = next(x for x in s.events() if kind(x) == "restart.required")
        self.assertEqual(int(stop["seq"]), e.seq)
        other = pickle.loads(pickle.dumps(e))
        self.assertEqual((str(e), e.seq, e.next), (str(other), other.seq, other.next))
        self.holds(s)

    def test_who_waits_goes_on_when_it_is_released(self) -> None:
        s = self.stand()
        r = self.recorder(s)
        with s.sim("silent") as seen, self.assertRaises(asyncio.TimeoutError):
            asyncio.run(connect(self.ib(r), s))
        self.assertEqual(1, seen())
        self.assertTrue(r.flush(10))
        with s.sim("healthy") as seen:
            ib = self.ib(r, "wait")

            async def go() -> float:
                task = asyncio.ensure_future(ib.connectAsync(port=s.gateway, timeout=1))
                await until(lambda: r._stop is not None)
                done, _ = await asyncio.wait({task}, timeout=1.5)  # longer than its own timeout
                self.assertEqual(set(), done)
                await asyncio.to_thread(s.run, "resume", "main", "--reason", "restarted")
                released = time.monotonic()
                await task
                took = time.monotonic() - released
                ib.disconnect()
                await asyncio.sleep(0)
                return took

            took = asyncio.run(go())
            self.assertEqual(1, seen())
        self.assertLess(took, 10)
        print(f"released, and connected {took:.2f} s later", file=sys.stderr)
        self.holds(s)

    def test_what_passes_by_itself_is_waited_for(self) -> None:
        s = self.stand()
        r = self.recorder(s)
        # Another program has the turn, and ends its attempt while this one waits.
        other = r.permit(client_id=1, timeout=4)
        self.assertTrue(other.leased)
        with s.sim("healthy"):

            async def go() -> None:
                with self.assertRaises(ConnectionRefusedError) as caught:
                    await self.ib(r).connectAsync(port=s.gateway, timeout=0.2)
                self.assertNotIsInstance(caught.exception, GatewayRequiresRestartError)
                ib = self.ib(r)
                task = asyncio.ensure_future(ib.connectAsync(port=s.gateway, timeout=30))
                await asyncio.wait({task}, timeout=0.2)
                self.assertFalse(task.done())
                other.succeeded(176)
                await task
                ib.disconnect()
                await asyncio.sleep(0)

            asyncio.run(go())
        self.assertTrue(r.flush(10))
        self.holds(s)

    def test_watchdog_restarts_once_if_it_waits_and_again_and_again_if_it_does_not(self) -> None:
        restarts = {}
        for on_held in ("raise", "wait"):
            s = self.stand()
            r = self.recorder(s)
            r.gateway_down("for the test")
            self.assertTrue(r.flush(10))
            await_("the gate stops", lambda: (s.status() or {})["gate"] == "STOPPED")
            with s.sim("healthy") as seen:

                async def go() -> int:
                    controller = Controller()
                    dog = standin.Watchdog(controller, self.ib(r, on_held), s.gateway, 0.5, 0.05, 0.05)
                    connected: list[Any] = []
                    dog.startedEvent.connect(lambda _: connected.append(True))
                    dog.start()
                    await asyncio.sleep(3)  # so long it is stopped
                    self.assertEqual([], connected)
                    before = controller.starts
                    await asyncio.to_thread(s.run, "resume", "main", "--reason", "restarted")
                    await until(lambda: connected)
                    dog.stop()
                    await asyncio.sleep(0)
                    return before

                restarts[on_held] = asyncio.run(go())
                self.assertEqual(1, seen())
            self.holds(s)
        print(f"restarts of the Gateway in 3 s of a stop: {restarts}", file=sys.stderr)
        self.assertEqual(1, restarts["wait"])
        self.assertGreater(restarts["raise"], 5)


class TestWithoutARecorder(Case):
    def test_it_is_not_there(self) -> None:
        s = Stand()
        self.addCleanup(s.close)
        with s.sim("healthy") as seen, self.assertLogs("ibrecorder", logging.WARNING) as logs:
            r = self.recorder(s)
            began = time.monotonic()
            asyncio.run(connect(self.ib(r), s))
            asyncio.run(connect(self.ib(r), s))
            self.assertLess(time.monotonic() - began, 2)
            self.assertEqual(2, seen())
            with self.assertRaises(ConnectionRefusedError):
                asyncio.run(connect(self.ib(self.recorder(s, required=True)), s))
        said = [m for m in logs.output if "no answer whether" in m]
        self.assertEqual(2, len(said), "once for each recorder, and not for each attempt")
        s.start()  # what was kept is told now
        self.assertTrue(r.flush(10))
        self.assertEqual(OWN * 2, s.kinds())

    def test_it_goes_away_during_a_session_and_is_killed_and_comes_back(self) -> None:
        s = self.stand()
        r = self.recorder(s)
        ib = self.ib(r)
        with s.sim("healthy"):

            async def go() -> None:
                for _ in range(3):
                    await ib.connectAsync(port=s.gateway, timeout=2)
                    await asyncio.to_thread(s.stop, signal.SIGKILL)
                    ib.disconnect()
                    await asyncio.sleep(0)
                    await asyncio.to_thread(s.start)

            asyncio.run(go())
        self.assertTrue(r.flush(20))
        self.assertEqual(OWN * 3, s.kinds())
        self.holds(s)

    def test_its_answers_are_lost_and_every_report_is_stored_once(self) -> None:
        s = self.stand()
        door = Forgetful(s.port, lose=5)
        self.addCleanup(door.close)
        r = self.recorder(s, url=door.url)
        with s.sim("healthy"), self.assertLogs("ibrecorder", logging.WARNING):
            asyncio.run(connect(self.ib(r), s))
            self.assertTrue(r.flush(20))
        self.assertEqual(OWN, s.kinds())
        self.assertGreater(len([x for x in door.sent if x.startswith(b"POST /v1/events")]), 5)

    def test_a_stop_that_was_told_stands_without_an_answer(self) -> None:
        s = self.stand()
        r = self.recorder(s)
        r.gateway_down()
        self.assertTrue(r.flush(10))
        with s.sim("healthy") as seen:
            for stopped in (False, True):
                if stopped:
                    s.stop(signal.SIGKILL)
                with self.assertRaises(GatewayRequiresRestartError):
                    asyncio.run(connect(self.ib(r), s))
            self.assertEqual(0, seen())

    def test_one_that_hangs_does_not_block_the_loop(self) -> None:
        s = Stand()
        self.addCleanup(s.close)
        hanging = Hanging()
        self.addCleanup(hanging.close)
        self.set("ANSWER_WITHIN", 1.0)
        r = self.recorder(s, url=hanging.url)
        with s.sim("healthy"), self.assertLogs("ibrecorder", logging.WARNING):

            async def go() -> tuple[float, float]:
                worst, over = 0.0, asyncio.Event()

                async def tick() -> None:
                    nonlocal worst
                    while not over.is_set():
                        began = time.monotonic()
                        await asyncio.sleep(0.001)
                        worst = max(worst, time.monotonic() - began - 0.001)

                ticking = asyncio.ensure_future(tick())
                began = time.monotonic()
                for _ in range(3):
                    await connect(self.ib(r), s)
                took = (time.monotonic() - began) / 3
                over.set()
                await ticking
                return worst, took

            worst, took = asyncio.run(go())
        print(f"a recorder that hangs: a connect takes {took:.2f} s, the loop lags {worst * 1000:.1f} ms at worst", file=sys.stderr)
        self.assertLess(took, 2)
        self.assertLess(worst, ibrecorder.ANSWER_WITHIN / 2, "the loop waited for the recorder")

    def test_ten_thousand_reports_are_bounded_and_the_log_says_what_is_missing(self) -> None:
        s = Stand()
        self.addCleanup(s.close)
        with self.assertLogs("ibrecorder", logging.WARNING) as logs:
            r = self.recorder(s)
            tracemalloc.start()
            self.addCleanup(tracemalloc.stop)
            before, began = tracemalloc.get_traced_memory()[0], time.monotonic()
            for _ in range(10_000):
                r.report("session.degraded", {"code": 1100})
            took = time.monotonic() - began
            grown = tracemalloc.get_traced_memory()[0] - before
            self.assertFalse(r.flush(0.5))
            self.assertEqual(ibrecorder.QUEUE, len(r._outbox._waiting))
        self.assertLess(len(logs.output), 5)
        self.assertLess(grown, 5_000_000)
        print(f"10000 reports to nobody: {grown / 1e6:.1f} MB kept, {took / 1e4 * 1e6:.0f} us each", file=sys.stderr)
        s.start()
        await_("the first are stored", lambda: len(s.kinds()) > ibrecorder.BATCH)
        first = next(e for e in s.events() if e["source"] == "/runner/robo-1")
        self.assertEqual("operator.noted", kind(first))
        self.assertEqual("9000", first["data"]["text"].split()[0])

    def test_silence_that_is_told_late_is_no_evidence(self) -> None:
        old = {"data": {"reason": "accepted_no_bytes", "waited_ms": 30000, "limit_ms": 30000}}
        self.assertIs(old, ibrecorder._aged(old, 1))
        self.assertEqual({"reason": "accepted_no_bytes", "waited_ms": 30000}, ibrecorder._aged(old, 61)["data"])

    def test_a_report_that_cannot_be_stored_does_not_keep_the_others(self) -> None:
        s = self.stand()
        r = self.recorder(s)
        with self.assertLogs("ibrecorder", logging.WARNING) as logs:
            for code in (1100, "x", 2110):
                r.report("session.degraded", {"code": code})
            self.assertTrue(r.flush(10))
        self.assertEqual([1100, 2110], [e["data"]["code"] for e in s.events() if kind(e) == "session.degraded"])
        self.assertIn("given up", logs.output[0])


class TestTokens(Case):
    def test_one_that_is_wrong_or_that_others_can_read_lets_the_program_connect_and_is_never_shown(self) -> None:
        s = self.stand()
        with open(s.token_file, encoding="ascii") as f:
            secret = f.read().strip()
        wrong = os.path.join(s.folder, "robo-2.token")
        with open(wrong, "w", encoding="ascii", opener=lambda p, f: os.open(p, f, 0o600)) as f:
            f.write("ibr_" + "A" * 43)
        loose = os.path.join(s.folder, "robo-3.token")
        with open(loose, "w", encoding="ascii") as f:
            f.write(secret)
        os.chmod(loose, 0o644)
        none = os.path.join(s.folder, "none")
        for file, hint in ((wrong, "recorder token new"), (loose, "chmod 600"), (none, none + " cannot be read")):
            with self.subTest(hint), s.sim("healthy"), self.assertLogs("ibrecorder", logging.DEBUG) as logs:
                asyncio.run(connect(self.ib(self.recorder(s, token_file=file)), s))
            said = "\n".join(logs.output)
            self.assertIn(hint, said)
            self.assertNotIn("ibr_" + "A" * 43, said)
            self.assertNotIn(secret, said)

    def test_it_goes_nowhere_in_the_clear(self) -> None:
        s = Stand()
        self.addCleanup(s.close)
        with self.assertLogs("ibrecorder", logging.WARNING):
            self.assertEqual("", self.recorder(s, url="http://recorder.example:7463")._token())
        self.assertTrue(self.recorder(s, url="https://recorder.example:7463")._token().startswith("ibr_"))

    def test_nothing_of_the_brokers_text_leaves(self) -> None:
        s = self.stand()
        door = Forgetful(s.port, lose=0)
        self.addCleanup(door.close)
        r = self.recorder(s, url=door.url)
        script = 'hello\nwait start-api\nready\nerror -1 1100 "lost for DU1234567"\nerror 5 201 "Order rejected: 100 IBM"\nserve\n'
        with s.sim(script=script):

            async def go() -> None:
                ib, codes = self.ib(r), []
                ib.errorEvent.connect(lambda _, code, *__: codes.append(code))
                await ib.connectAsync(port=s.gateway, timeout=2)
                await until(lambda: 201 in codes)
                ib.disconnect()

            asyncio.run(go())
            self.assertTrue(r.flush(10))
        sent = b"".join(door.sent)
        self.assertIn(b"1100", sent)
        for word in (b"DU1234567", b"IBM", b"rejected", b"201"):
            self.assertNotIn(word, sent.replace(b"HTTP/1.1 201", b""))


class TestProcesses(Case):
    def program(self, s: Stand, text: str, **env: str) -> subprocess.Popen[str]:
        p = subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(text)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env={**s.environment(), "GATEWAY_PORT": str(s.gateway), **env},
        )
        self.addCleanup(p.wait)
        self.addCleanup(p.kill)
        self.addCleanup(p.stderr.close)  # type: ignore[union-attr]
        self.addCleanup(p.stdout.close)  # type: ignore[union-attr]
        return p

    CONNECTS = """
        import asyncio, os, threading, ibrecorder, standin
        async def main():
            ib = ibrecorder.attach(standin.IB())
            await ib.connectAsync(port=int(os.environ["GATEWAY_PORT"]), clientId=7, timeout=2)
            ib.disconnect()
        asyncio.run(main())
        print([t.name for t in threading.enumerate()])
    """

    def test_it_ends_with_the_program_and_tells_what_it_has(self) -> None:
        s = self.stand()
        with s.sim("healthy"):
            out, err = self.program(s, self.CONNECTS).communicate(timeout=30)
        self.assertEqual("", err)
        self.assertIn("ibrecorder", out)
        self.assertEqual(OWN, s.kinds())

    def test_it_ends_with_the_program_though_nobody_listens(self) -> None:
        s = Stand()
        self.addCleanup(s.close)
        hanging = Hanging()
        self.addCleanup(hanging.close)
        for url in (f"http://127.0.0.1:{free_port()}", hanging.url):
            with s.sim("healthy"):
                began = time.monotonic()
                p = self.program(s, self.CONNECTS, RECORDER_URL=url)
                _, err = p.communicate(timeout=30)
                took = time.monotonic() - began
            self.assertEqual(0, p.returncode, err)
            self.assertNotIn("Traceback", err)
            self.assertLess(took, 12, "the end of the program has a bound")

    def test_a_session_that_is_left_open_is_closed_by_the_end_of_the_program(self) -> None:
        s = self.stand()
        with s.sim("healthy"):
            _, err = self.program(s, self.CONNECTS.replace("ib.disconnect()", "globals()['kept'] = ib")).communicate(timeout=60)
        self.assertNotIn("Traceback", err)
        self.assertEqual(["attempt.requested", "attempt.succeeded", "session.established", "session.closed"], s.kinds())

    def test_the_child_of_a_fork_reports_for_itself(self) -> None:
        s = self.stand()
        out, err = self.program(
            s,
            """
            import os, ibrecorder
            r = ibrecorder.Recorder("main")
            for code in (1100, 1100):
                r.report("session.degraded", {"code": code})
            pid = os.fork()
            if pid == 0:
                r.report("session.restored", {"code": 1101})
                os._exit(0 if r.flush(20) else 1)
            _, status = os.waitpid(pid, 0)
            print(os.waitstatus_to_exitcode(status), r.flush(20))
            """,
        ).communicate(timeout=60)
        self.assertEqual("0 True\n", out, err)
        self.assertEqual(["session.degraded"] * 2 + ["session.restored"], sorted(s.kinds()))

    def test_the_thread_that_sends_imports_nothing(self) -> None:
        """A fork during an import leaves the child without the module for good."""
        s = self.stand()
        out, err = self.program(
            s,
            """
            import sys, ibrecorder
            before = set(sys.modules)
            r = ibrecorder.Recorder("main")
            r.report("session.degraded", {"code": 1100})
            print(r.flush(20), set(sys.modules) - before)
            """,
        ).communicate(timeout=60)
        self.assertEqual("True set()\n", out, err)

    def test_control_c_passes_through_a_wait_and_a_handshake(self) -> None:
        s = self.stand()
        r = self.recorder(s)
        for stopped in (False, True):
            if stopped:
                r.gateway_down()
                self.assertTrue(r.flush(10))
            with self.subTest("stopped" if stopped else "in a handshake"), s.sim("silent"):
                p = self.program(
                    s,
                    """
                    import os, sys, ibrecorder, standin
                    ib = ibrecorder.attach(standin.IB(), on_held="wait")
                    print("goes", flush=True)
                    try:
                        ib.connect(port=int(os.environ["GATEWAY_PORT"]), clientId=7, timeout=60)
                    except KeyboardInterrupt:
                        print("interrupted")
                        sys.exit(7)
                    """,
                )
                self.assertEqual("goes\n", p.stdout.readline())  # type: ignore[union-attr]
                await_("it connects or is denied", lambda: "attempt.denied" in s.kinds("/recorder") if stopped else s.kinds())
                p.send_signal(signal.SIGINT)
                self.assertIn("interrupted", p.communicate(timeout=30)[0])
                self.assertEqual(7, p.returncode)
                if not stopped:
                    self.assertEqual(["attempt.requested", "attempt.abandoned"], s.kinds())

    def test_the_worker_of_the_example(self) -> None:
        s = self.stand()
        env = {**s.environment(), "IB_LIBRARY": "standin"}
        worker = os.path.join(os.path.dirname(__file__), "example_worker.py")
        p = subprocess.Popen([sys.executable, worker], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=env)
        self.addCleanup(p.wait)
        self.addCleanup(p.kill)
        assert p.stdin and p.stdout
        self.addCleanup(p.stdout.close)

        def ask(**order: Any) -> dict[str, Any]:
            p.stdin.write(json.dumps(order) + "\n")  # type: ignore[union-attr]
            p.stdin.flush()  # type: ignore[union-attr]
            return json.loads(p.stdout.readline())  # type: ignore[union-attr]

        connect_ = {"do": "connect", "host": "127.0.0.1", "port": s.gateway, "client_id": 7, "timeout": 1}
        with s.sim("healthy") as seen:
            self.assertEqual({"ok": True}, ask(**connect_))
            self.assertEqual({"ok": True}, ask(do="disconnect"))
            self.assertEqual({"ok": True}, ask(do="down", text="three pings without an answer"))
            await_("the gate stops", lambda: (s.status() or {})["gate"] == "STOPPED")
            held = ask(**connect_)
            self.assertEqual(("GatewayRequiresRestartError", True), (held["error"], held["requires_restart"]))
            p.stdin.close()
            self.assertEqual(0, p.wait(30))
            self.assertEqual(1, seen())
        self.assertEqual(OWN + ["gateway.down"], s.kinds())


class TestTheFile(Case):
    def test_it_needs_python_3_9_and_nothing_else(self) -> None:
        for name in ("ibrecorder.py", "example_worker.py", "standin.py"):
            with open(os.path.join(os.path.dirname(__file__), name), encoding="ascii") as f:
                tree = ast.parse(f.read(), feature_version=(3, 9))
            imported = {a.name for n in ast.walk(tree) if isinstance(n, ast.Import) for a in n.names}
            imported |= {n.module or "" for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)}
            known = getattr(sys, "stdlib_module_names", None)  # since 3.10
            if known:
                strange = {m for m in imported if m.split(".")[0] not in known} - {"ibrecorder"}
                self.assertEqual(set(), strange, name)
            self.assertIn("asyncio", imported)

    def test_everything_public_says_what_it_is(self) -> None:
        for name in ibrecorder.__all__:
            thing = getattr(ibrecorder, name)
            self.assertTrue(thing.__doc__, name)
            for member, value in vars(thing).items() if isinstance(thing, type) else ():
                if callable(value) and not member.startswith("_"):
                    self.assertTrue(value.__doc__, f"{name}.{member}")


class TestArguments(Case):
    def test_what_cannot_be_is_refused_at_once(self) -> None:
        for settings in ({"gateway": "Main"}, {"name": "robo 1"}, {"url": "ftp://x"}, {"url": "http://me:secret@x"}, {"on_held": "hope"}):
            with self.subTest(settings), self.assertRaises(ValueError) as caught:
                attach(standin.IB(), **settings)
            self.assertNotIn("secret", str(caught.exception))

    def test_attaching_twice_is_attaching_once(self) -> None:
        ib = standin.IB()
        attached = attach(attach(ib, name="robo-1"), name="robo-1")
        self.assertIs(ib, attached)
        with self.assertRaises(TypeError):
            asyncio.run(attached.connectAsync(nothing=1))

    def test_an_ib_for_each_connect_needs_one_thread(self) -> None:
        of = {attach(standin.IB(), name="robo-1").connectAsync.__self__.recorder for _ in range(20)}
        self.assertEqual(1, len(of))

    def test_over_tls_the_recorder_must_be_the_one_that_is_known(self) -> None:
        s = Stand(tls=True)
        self.addCleanup(s.close)
        s.start()
        with s.sim("healthy"):
            with self.assertLogs("ibrecorder", logging.WARNING) as logs:
                stranger = self.recorder(s, required=True)
                with self.assertRaises(ConnectionRefusedError):
                    asyncio.run(connect(self.ib(stranger), s))
            self.assertIn("SSLCertVerificationError", logs.output[0])
            self.assertEqual([], s.kinds())
            os.environ["RECORDER_CA_FILE"] = os.path.join(os.environ["RECORDER_TEST_TLS"], "cert.pem")
            self.addCleanup(os.environ.pop, "RECORDER_CA_FILE")
            r = self.recorder(s, required=True)
            asyncio.run(connect(self.ib(r), s))
            self.assertTrue(r.flush(10))
        self.assertEqual(OWN, s.kinds())

    def test_the_socket_needs_no_token(self) -> None:
        s = self.stand()
        r = self.recorder(s, url=f"unix:{s.folder}/recorder.sock", token_file="", name="robo-7")
        with s.sim("healthy"):
            asyncio.run(connect(self.ib(r), s))
            self.assertTrue(r.flush(10))
        self.assertEqual(OWN, s.kinds("/runner/robo-7"))


class Controller:
    """Counts how often a Gateway would have been started."""

    def __init__(self) -> None:
        self.starts = 0

    async def startAsync(self) -> None:
        self.starts += 1

    async def terminateAsync(self) -> None:
        pass


async def connect(ib: Any, s: Stand, port: int = 0, stay: bool = False) -> None:
    """One session; with stay the Gateway ends it."""
    over = asyncio.Event()
    ib.disconnectedEvent.connect(over.set)
    await ib.connectAsync("127.0.0.1", port or s.gateway, 7, timeout=0.5)
    if stay:
        await asyncio.wait_for(over.wait(), 30)
    ib.disconnect()
    await asyncio.sleep(0)


async def until(is_so: Any) -> None:
    end = time.monotonic() + 30
    while not is_so():
        if time.monotonic() > end:
            raise AssertionError("not within 30 s")
        await asyncio.sleep(0.005)


if __name__ == "__main__":
    unittest.main()
