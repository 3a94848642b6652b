"""Twilio: the only package that knows its SDK, its HTTP and its signatures."""
