"""Where the contracts are kept, and where the code is that they are written from."""

from pathlib import Path

ROOT = Path(__file__).parents[2]
LAYER = ROOT / "layers" / "sendpool"
OPENAPI = ROOT / "docs" / "openapi.json"
EVENTS = ROOT / "docs" / "events.schema.json"
SEND_QUEUE = ROOT / "docs" / "send-queue.schema.json"
MESSAGING_FILE = ROOT / "docs" / "messaging.schema.json"
