"""The relay: empty a drop-folder that several machines share, losing nothing."""
