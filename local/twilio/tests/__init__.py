"""Proofs that the simulated Twilio keeps Twilio's rules, over real HTTP on the loopback."""
