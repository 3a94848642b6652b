"""The account: who may call, which senders it owns, what it permits."""
