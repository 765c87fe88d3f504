"""What the relay and the share do, told over HTTP; nothing can be changed by it."""
