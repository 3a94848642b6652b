"""The Message resource: how it is kept, counted in segments, and listed."""
