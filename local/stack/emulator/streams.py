"""Gap: one thread polls queues and streams, and runs a stream's function itself: while it runs, queues wait.

The batching window of a stream's function is ignored, too.
"""

import threading
import time

from ministack.services import lambda_svc

PAUSE_SECONDS = 0.05


def fill() -> None:
    """Take streams out of the common loop and poll them in a thread of their own."""
    poll = lambda_svc._poll_dynamodb_streams  # noqa: SLF001
    lambda_svc._poll_dynamodb_streams = lambda: False  # noqa: SLF001

    def poll_for_ever() -> None:
        while True:
            poll()
            time.sleep(longest_window() or PAUSE_SECONDS)

    threading.Thread(target=poll_for_ever, name="streams", daemon=True).start()


def longest_window() -> int:
    """How long records gather, in seconds: the longest window of all functions behind streams."""
    windows = (
        mapping["MaximumBatchingWindowInSeconds"]
        for _, _, mapping in lambda_svc._iter_all_esms()  # noqa: SLF001
        if "/stream/" in mapping["EventSourceArn"]
    )
    return max(windows, default=0)
