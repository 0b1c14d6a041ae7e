"""A worker process that owns the connection, and answers a parent over its standard input
and output, one JSON object a line:

    {"do": "connect", "host": "127.0.0.1", "port": 4002, "client_id": 7, "timeout": 30}
    {"do": "disconnect"}   {"do": "down", "text": "three pings without an answer"}

    {"ok": true}
    {"ok": false, "error": "GatewayRequiresRestartError", "requires_restart": true, "next": "..."}

An answer has the class of an error and never its text, because a broker's text may name an
account. A parent that is told requires_restart stops asking, and restarts nothing.

IB_LIBRARY is the module with IB: ib_async unless it says another.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import json
import os
import sys
from typing import Any

import ibrecorder


async def do(ib: Any, recorder: ibrecorder.Recorder, order: dict[str, Any]) -> dict[str, Any]:
    try:
        if order["do"] == "connect":
            await ib.connectAsync(order["host"], order["port"], order["client_id"], timeout=order["timeout"])
        elif order["do"] == "disconnect":
            ib.disconnect()
        elif order["do"] == "down":  # the worker itself has found the API dead
            recorder.gateway_down(order["text"])
        else:
            return {"ok": False, "error": "unknown order"}
    except ibrecorder.GatewayRequiresRestartError as e:
        return {"ok": False, "error": type(e).__name__, "requires_restart": True, "next": e.next}
    except Exception as e:
        return {"ok": False, "error": type(e).__name__, "requires_restart": False}
    return {"ok": True}


async def main() -> None:
    recorder = ibrecorder.Recorder("main")
    ib = ibrecorder.attach(importlib.import_module(os.environ.get("IB_LIBRARY", "ib_async")).IB(), recorder=recorder)
    loop = asyncio.get_running_loop()
    while True:
        line = await loop.run_in_executor(None, sys.stdin.readline)
        if not line:
            break  # the parent is gone
        print(json.dumps(await do(ib, recorder, json.loads(line))), flush=True)
    ib.disconnect()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
