"""Everything that runs Sendpool on a laptop; nothing here is deployed."""
