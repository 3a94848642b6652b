"""What messaging is to us: rules and values, without any I/O and without a clock of their own."""
