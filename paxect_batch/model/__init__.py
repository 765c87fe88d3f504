"""The nouns: frozen structs that are decided on, written down, or shown."""
