"""Sendpool: send through Twilio Messaging Services from AWS Lambda."""
