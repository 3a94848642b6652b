"""The contracts that callers hold us to, written from the code: docs/openapi.json and docs/send-queue.schema.json."""
