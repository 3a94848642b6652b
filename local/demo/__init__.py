"""`make demo`: one broadcast to 2,000 made-up people on the local stack, watched, reported and checked."""
