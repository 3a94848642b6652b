"""Measurements of single parts on this machine: each one says what in it is real and what is not."""
