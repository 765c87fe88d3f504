"""The real things behind the seams, one in each module; they know no rules."""
