# SPDX-License-Identifier: Apache-2.0
"""Sends tasks of the sample application, from a pod that has its broker: `python3 send.py slow 200 --seconds 1 20`.

Prints the ids, one a line; with --wait also waits for the results, and ends with 1 when one is missing.
"""

import argparse
import random
import sys

import shop


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("task", choices=["quick", "slow", "busy", "failing", "hungry"])
    parser.add_argument("count", type=int)
    parser.add_argument("--seconds", nargs=2, type=float, default=[1, 1], help="least and most, of slow and busy tasks")
    parser.add_argument("--megabytes", type=int, default=100, help="of hungry tasks")
    parser.add_argument("--queues", nargs="+", help="one after the other; not given: where the application sends them")
    parser.add_argument("--priorities", nargs="+", type=int, help="each of them in every queue; not given: none")
    parser.add_argument("--seed", type=int, default=1, help="the same seed, the same tasks")
    parser.add_argument("--wait", type=float, help="seconds for all results together")
    options = parser.parse_args()

    queues, priorities = options.queues or [], options.priorities or []
    chance = random.Random(options.seed)
    arguments = {
        "quick": lambda number: (number, number),
        "slow": lambda number: (round(chance.uniform(*options.seconds), 1),),
        "busy": lambda number: (round(chance.uniform(*options.seconds), 1),),
        "failing": lambda number: (f"number {number}",),
        "hungry": lambda number: (options.megabytes,),
    }[options.task]
    task = getattr(shop, options.task)

    def where(number):
        found = {}
        if queues:
            found["queue"] = queues[number % len(queues)]
        if priorities:
            found["priority"] = priorities[number // max(len(queues), 1) % len(priorities)]
        return found

    sent = [task.apply_async(arguments(number), **where(number)) for number in range(options.count)]
    for result in sent:
        print(result.id)
    if options.wait is not None:
        missing = 0
        for number, result in enumerate(sent):
            try:
                value = result.get(timeout=options.wait, propagate=False)
                right = options.task != "quick" or value == 2 * number
            except Exception as error:  # whatever it is, the result is not there
                right = False
                print(f"{result.id}: {error!r}", file=sys.stderr)
            missing += not right
        return 1 if missing else 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
