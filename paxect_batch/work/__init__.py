"""What runs in a worker process: one lot after the other, staged and verified."""
