"""Making messages: what a create may ask for, and what it makes."""
