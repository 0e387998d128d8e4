"""The command line: parse, call one library function, write, say one line."""
