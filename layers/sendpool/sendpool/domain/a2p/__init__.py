"""US A2P 10DLC: a business, its brand and its campaigns, where their registration stands, and who has to act."""
