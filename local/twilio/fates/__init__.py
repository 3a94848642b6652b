"""What is going to become of a message: scripted, magic, or by chance."""
