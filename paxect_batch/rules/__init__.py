"""The rules: facts and `now` in, a decision out; nothing is fetched or done."""
