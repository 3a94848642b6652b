"""The Trust Hub: who customers are, and what of it Twilio has approved."""
