"""The rules of the house, as tests: layout, sizes, words, public names, units, scripts."""
