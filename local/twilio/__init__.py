"""A simulated Twilio: a real HTTP server with messages, webhooks and scripted faults.

It stands alone: it imports nothing of the product, and the product nothing of it.
Start it with `python -m local.twilio --port 8800`; README.md describes what it does.
"""
