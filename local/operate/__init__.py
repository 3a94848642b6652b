"""What somebody does by hand to a deployed stack: look at dead letters, put them back, count a broadcast again."""
