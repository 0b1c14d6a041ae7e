"""A stand-in for ib_async 2, as far as connecting goes: IB, Watchdog, and their events.

It speaks the real protocol, to a Gateway or to `recorder sim`, in the text messages of
server versions up to 176, and asks for nothing after ready. What a program sees of each
situation was measured with ib_async 2.0.1; test_ibrecorder.py has the table. It is here
so that the tests need nothing but Python.
"""

from __future__ import annotations

import asyncio
import struct
import weakref
from typing import Any, Callable


class Event:
    """As eventkit's: a bound method is held weakly unless keep_ref is set."""

    def __init__(self) -> None:
        self._slots: list[Callable[[], Callable[..., Any] | None]] = []

    def connect(self, listener: Callable[..., Any], keep_ref: bool = False) -> Event:
        weak = hasattr(listener, "__self__") and not keep_ref
        self._slots.append(weakref.WeakMethod(listener) if weak else lambda: listener)
        return self

    def disconnect(self, listener: Callable[..., Any]) -> Event:
        self._slots = [slot for slot in self._slots if slot() != listener]
        return self

    __iadd__, __isub__ = connect, disconnect

    def emit(self, *args: Any) -> None:
        for slot in list(self._slots):
            listener = slot()
            if listener is not None:
                listener(*args)


class Connection(asyncio.Protocol):
    def __init__(self) -> None:
        self.hasData, self.disconnected = Event(), Event()
        self.transport: Any = None
        self.numMsgSent = 0

    async def connectAsync(self, host: str, port: int) -> None:
        self.transport, self.numMsgSent = None, 0
        self.transport, _ = await asyncio.get_running_loop().create_connection(lambda: self, host, port)

    def disconnect(self) -> None:
        if self.transport:
            self.transport.close()

    def sendMsg(self, message: bytes) -> None:
        self.transport.write(message)
        self.numMsgSent += 1

    def data_received(self, data: bytes) -> None:
        self.hasData.emit(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self.transport = None
        self.disconnected.emit(str(exc) if exc else "")


class Client:
    DISCONNECTED, CONNECTING, CONNECTED = range(3)

    def __init__(self, on_message: Callable[[list[str]], None]):
        self.apiStart, self.apiEnd, self.apiError = Event(), Event(), Event()
        self.conn = Connection()
        self.conn.hasData.connect(self._on_data)
        self.conn.disconnected.connect(self._on_closed)
        self._on_message = on_message
        self._reset()

    def _reset(self) -> None:
        self.connState, self._version, self._buffer = self.DISCONNECTED, 0, b""
        self._has_id = self._has_accounts = self._ready = False

    def isConnected(self) -> bool:
        return self.connState == self.CONNECTED

    def isReady(self) -> bool:
        return self._ready

    def serverVersion(self) -> int:
        return self._version

    async def connectAsync(self, host: str, port: int, clientId: int, timeout: float | None) -> None:
        try:
            self.clientId, self.connState = clientId, self.CONNECTING
            await asyncio.wait_for(self.conn.connectAsync(host, port), timeout)
            self.conn.sendMsg(b"API\0" + _framed(b"v157..176"))
            started = asyncio.get_running_loop().create_future()

            def start() -> None:
                if not started.done():
                    started.set_result(None)

            self.apiStart.connect(start)
            try:
                await asyncio.wait_for(started, timeout)
            finally:
                self.apiStart.disconnect(start)
        except BaseException as e:
            self.disconnect()
            self.apiError.emit(f"API connection failed: {e!r}")
            raise

    def disconnect(self) -> None:
        self.connState = self.DISCONNECTED
        self.conn.disconnect()
        self._reset()

    def _on_data(self, data: bytes) -> None:
        self._buffer += data
        while len(self._buffer) > 4:
            end = 4 + struct.unpack(">I", self._buffer[:4])[0]
            if len(self._buffer) < end:
                return
            fields, self._buffer = self._buffer[4:end].decode().split("\0")[:-1], self._buffer[end:]
            if not self._version and len(fields) == 2:
                self._version, self.connState = int(fields[0]), self.CONNECTED
                self.conn.sendMsg(_framed(f"71\0002\000{self.clientId}\000\000".encode()))
                continue
            self._has_id = self._has_id or fields[0] == "9"
            self._has_accounts = self._has_accounts or fields[0] == "15"
            if self._has_id and self._has_accounts and not self._ready:
                self._ready = True
                self.apiStart.emit()
            self._on_message(fields)

    def _on_closed(self, message: str) -> None:
        was_ready = self._ready
        if self.isConnected() and not message:
            message = "Peer closed connection." + ("" if was_ready else f" clientId {self.clientId} already in use?")
        if message:
            self.apiError.emit(message)
        self._reset()
        if was_ready:
            self.apiEnd.emit()


class IB:
    def __init__(self) -> None:
        self.connectedEvent, self.disconnectedEvent = Event(), Event()
        self.errorEvent, self.timeoutEvent = Event(), Event()
        self.client = Client(self._on_message)
        self.loop: asyncio.AbstractEventLoop | None = None  # of connect
        self.client.apiEnd.connect(self.disconnectedEvent.emit, keep_ref=True)

    def isConnected(self) -> bool:
        return self.client.isConnected()

    def connect(self, host: str = "127.0.0.1", port: int = 7497, clientId: int = 1, timeout: float | None = 4, readonly: bool = False) -> IB:
        self.loop = self.loop or asyncio.new_event_loop()
        return self.loop.run_until_complete(self.connectAsync(host, port, clientId, timeout, readonly))

    async def connectAsync(
        self, host: str = "127.0.0.1", port: int = 7497, clientId: int = 1, timeout: float | None = 4, readonly: bool = False
    ) -> IB:
        try:
            await self.client.connectAsync(host, int(port), int(clientId), timeout or None)
            await asyncio.sleep(0)  # where the library fetches positions and orders
            if not self.client.isReady():
                raise ConnectionError("Socket connection broken while connecting")
            self.connectedEvent.emit()
        except BaseException:
            self.disconnect()
            raise
        return self

    def disconnect(self) -> None:
        if not self.client.isConnected():
            return
        self.client.disconnect()
        self.disconnectedEvent.emit()

    def _on_message(self, fields: list[str]) -> None:
        if fields[0] == "4":
            self.errorEvent.emit(int(fields[2]), int(fields[3]), fields[4], None)


class Watchdog:
    """Restarts the Gateway, through its controller, whenever it cannot connect."""

    def __init__(self, controller: Any, ib: IB, port: int, connectTimeout: float = 2, appStartupTime: float = 30, retryDelay: float = 2):
        self.controller, self.ib, self.port = controller, ib, port
        self.connectTimeout, self.appStartupTime, self.retryDelay = connectTimeout, appStartupTime, retryDelay
        self.startedEvent = Event()
        self._runner: Any = None

    def start(self) -> None:
        self._runner = asyncio.ensure_future(self.runAsync())

    def stop(self) -> None:
        self._runner.cancel()
        self.ib.disconnect()

    async def runAsync(self) -> None:
        while True:
            try:
                await self.controller.startAsync()
                await asyncio.sleep(self.appStartupTime)
                await self.ib.connectAsync("127.0.0.1", self.port, 1, self.connectTimeout)
                self.startedEvent.emit(self)
                over = asyncio.get_running_loop().create_future()
                self.ib.disconnectedEvent.connect(lambda: over.done() or over.set_result(None))
                await over
            except Exception:
                pass
            finally:
                await self.controller.terminateAsync()
            await asyncio.sleep(self.retryDelay)


def _framed(message: bytes) -> bytes:
    return struct.pack(">I", len(message)) + message
