"""What people write to the account's numbers."""
