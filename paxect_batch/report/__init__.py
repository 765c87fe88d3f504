"""Pure folds: records and counts in, what people and machines read out."""
