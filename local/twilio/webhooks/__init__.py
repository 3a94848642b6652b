"""Requests that the simulator makes: signed, with retries."""
