"""Where this emulator answers, for its own parts that go through its public API."""

import os

ENDPOINT = f"http://127.0.0.1:{os.environ.get('GATEWAY_PORT', '4566')}"
