# SPDX-License-Identifier: Apache-2.0
"""A Celery application to try things with: tasks that are quick, slow, busy, failing and hungry for memory.

Broker and backend come from CELERY_BROKER_URL and CELERY_RESULT_BACKEND, which the operator sets. Where LEDGER_URL names
a Redis, every run of a task is written down there when it starts and when it has ended well, and every stop of a worker
when it is asked for, so that one can count afterwards what was lost, what ran twice, and why.
"""

import json
import os
import time

from celery import Celery, signals

app = Celery("shop")
app.conf.update(
    # A task counts as done when it has ended, not when it was fetched: one that is cut off runs again.
    task_acks_late=os.environ.get("LATE_ACKS", "true") == "true",
    task_reject_on_worker_lost=os.environ.get("LATE_ACKS", "true") == "true",
    worker_prefetch_multiplier=1,
    broker_connection_retry_on_startup=True,
    # What only beat sends; without beat nobody does.
    beat_schedule={"tick": {"task": "shop.tick", "schedule": float(os.environ.get("TICK_SECONDS", "5"))}},
)


@app.task
def quick(x, y):
    """Done before one has looked."""
    return x + y


@app.task(bind=True)
def slow(self, seconds):
    """Takes its time, and tells where it ran."""
    time.sleep(seconds)
    return self.request.hostname


@app.task
def busy(seconds):
    """Takes half a processor for a while."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        burnt = time.process_time() + 0.05
        while time.process_time() < burnt:
            pass
        time.sleep(0.05)


@app.task
def failing(reason="as asked"):
    """Never works."""
    raise ValueError(reason)


@app.task
def hungry(megabytes, seconds=1):
    """Holds so much memory for a while."""
    held = bytearray(megabytes * 1024 * 1024)
    # A page counts when it has been written to.
    held[::4096] = b"x" * len(held[::4096])
    time.sleep(seconds)
    return len(held)


@app.task
def tick():
    """What beat sends."""
    return time.time()


class Ledger:
    """Lists of a Redis: for each task its runs and the ids of those that have ended well, and the stops of workers."""

    def __init__(self, url):
        self.url = url
        self.client = None

    def write(self, page, line):
        if self.url is None:
            return
        if self.client is None:
            # Here, and so once in every process of a pool.
            import redis

            self.client = redis.Redis.from_url(self.url)
        self.client.rpush(page, line)


ledger = Ledger(os.environ.get("LEDGER_URL"))


@signals.task_prerun.connect
def started(task_id, task, **_):
    """Every run counts, also one of a task that runs again."""
    run = {"id": task_id, "on": task.request.hostname, "at": time.time()}
    ledger.write(f"{task.name}:started", json.dumps(run))


@signals.task_success.connect
def done(sender, **_):
    """Only what has ended well."""
    ledger.write(f"{sender.name}:done", sender.request.id)


@signals.worker_shutting_down.connect
def stopping(sender, **_):
    """A worker was asked to end."""
    ledger.write("stops", json.dumps({"on": sender, "at": time.time()}))
