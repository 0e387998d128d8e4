"""The tests, in the rooms of gmmseg; ``naive.py`` has every kernel again in plain loops."""
