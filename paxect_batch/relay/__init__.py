"""The coordinator: it alone decides, and it alone publishes."""
