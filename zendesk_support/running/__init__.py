"""One sync from checkpoint to checkpoint, alone on its table."""
