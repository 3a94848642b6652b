"""The HTTP side: routes, credentials, error answers."""
