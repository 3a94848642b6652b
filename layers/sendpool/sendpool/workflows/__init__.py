"""One file a story, readable from top to bottom; collaborators come as arguments."""
