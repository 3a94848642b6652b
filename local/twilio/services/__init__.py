"""Messaging Services and their sender pools."""
