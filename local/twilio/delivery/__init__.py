"""What becomes of a message after its creation."""
