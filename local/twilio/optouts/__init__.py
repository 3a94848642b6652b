"""Who has opted out, and the words that do it."""
