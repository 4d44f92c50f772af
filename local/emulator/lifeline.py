"""Ends the emulator with the process that started it, even when that one was killed."""

import os
import shutil
import signal
import threading

DESCRIPTOR = "LOCAL_AWS_LIFELINE"
DIRECTORY = "LOCAL_AWS_DIRECTORY"


def watch() -> None:
    """Watch the inherited pipe, if there is one; its end of file ends this process group."""
    descriptor = os.environ.pop(DESCRIPTOR, "")
    directory = os.environ.pop(DIRECTORY, "")
    if descriptor:
        os.set_inheritable(int(descriptor), False)
        threading.Thread(
            target=_end_when_closed, args=(int(descriptor), directory), daemon=True
        ).start()


def _end_when_closed(descriptor: int, directory: str) -> None:
    while os.read(descriptor, 1):
        pass
    if directory:
        shutil.rmtree(directory, ignore_errors=True)
    # The whole group: Lambda workers live in it. Nothing here is worth an orderly shutdown.
    os.killpg(os.getpgrp(), signal.SIGKILL)
