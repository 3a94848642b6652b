"""Gap: one thread polls queues and streams, and runs a stream's function itself: while it runs, queues wait."""

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
            if not poll():
                time.sleep(PAUSE_SECONDS)

    threading.Thread(target=poll_for_ever, name="streams", daemon=True).start()
