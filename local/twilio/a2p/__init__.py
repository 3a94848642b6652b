"""US A2P 10DLC: brands and campaigns."""
