#!/usr/bin/env python3
"""A share is watched over HTTP, on the loopback address: health, metrics, last run."""

import http.client
import json
import sys
import time
from collections.abc import Callable

from stage import SECONDS_MAX, Stage, Untrue, Watched, expect, perform

PATHS = ("/ping", "/ready", "/metrics", "/last")


def demo(stage: Stage) -> None:
    """Drain a share, and ask for what is to be known of it."""
    share = stage.share()
    (share / "inbox" / "reading.csv").write_bytes(b"21.5\n")
    audit = stage.drain(share).audit
    words = ("serve", share, "--listen", "127.0.0.1:0")
    serve = Watched(stage.start("paxect-batch", *words))
    serve.until("listening on http://127.0.0.1:")
    told = next(line for line in serve.lines if "listening on" in line)
    port = int(told.rstrip("/").rpartition(":")[2])
    # A share is looked at before anything is said of it.
    until("the share is ready", lambda: ask(port, "/ready")[0] == 200)
    until("the share was seen", lambda: bool(json.loads(ask(port, "/view")[1])["seen"]))

    answers = {}
    for path in PATHS:
        code, body = ask(port, path)
        expect(code == 200, f"{path} answered {code}: {body[:200]}")
        print(f"{path:<9} 200 OK")
        answers[path] = body
    expect(answers["/ping"].strip() == "pong", f"/ping said {answers['/ping']!r}")
    expect(json.loads(answers["/last"]) == audit, "/last is not the audit of the run")
    before, after = (
        metrics_in(answers["/metrics"]),
        metrics_in(ask(port, "/metrics")[1]),
    )
    uptime = "paxect_batch_uptime_seconds"
    expect(0 <= before[uptime] < after[uptime], "uptime does not rise")
    print("uptime    rises from one look to the next")
    counts = {path: requests_in(after, path) for path in PATHS}
    print("requests ", ", ".join(f"{path} {count}" for path, count in counts.items()))
    # Readiness was waited for; the second request for metrics is not answered yet.
    right = {"/ping": 1, "/ready": 2, "/metrics": 1, "/last": 1}
    expect(counts == right, f"these requests were answered with 200: {counts}")
    ready = after["paxect_batch_ready"]
    expect(ready == 1, f"paxect_batch_ready is {ready}")
    expect(serve.stop() == 143, "serve did not stop as it was asked to")


def ask(port: int, path: str) -> tuple[int, str]:
    """Return code and body of an answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=SECONDS_MAX)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    except http.client.HTTPException as error:
        raise Untrue(f"{path} was not answered: {error!r}") from error
    finally:
        connection.close()


def metrics_in(text: str) -> dict[str, float]:
    """Return the values of metrics by name and labels."""
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return {name: float(value) for name, value in (x.rsplit(" ", 1) for x in lines)}


def requests_in(metrics: dict[str, float], path: str) -> int:
    """Return how many requests of a path were answered with 200, by the metrics."""
    labels = f'code="200",path="{path}"'
    return int(metrics[f"paxect_batch_http_requests_total{{{labels}}}"])


def until(what: str, holds: Callable[[], bool]) -> None:
    """Wait for something to happen."""
    end = time.monotonic() + SECONDS_MAX
    while not holds():
        expect(time.monotonic() < end, f"waited in vain until {what}")
        time.sleep(0.05)


if __name__ == "__main__":
    sys.exit(perform(demo))
