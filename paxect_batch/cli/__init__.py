"""The commands: words and settings in, the relay wired to the world, exit codes out."""
