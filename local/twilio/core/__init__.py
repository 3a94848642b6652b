"""What every part of the simulator stands on."""
