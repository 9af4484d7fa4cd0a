# SPDX-License-Identifier: Apache-2.0
"""Waiting for things to become true, never for time to pass.

KUBECENT_TEST_PATIENCE scales every deadline: 1 on a free machine, 10 under valgrind.
"""
import os
import time

PATIENCE = float(os.environ.get("KUBECENT_TEST_PATIENCE", "1"))
LONG = 20.0 * PATIENCE  # when this is over, what we wait for will not come
POLL = 0.01


def wait_until(condition, what, deadline=LONG):
    """Returns the first truthy value of condition(); fails, naming `what`, when none comes in time."""
    end = time.monotonic() + deadline
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"waited {deadline:.0f} s in vain for {what}")
        time.sleep(POLL)
