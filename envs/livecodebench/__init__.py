"""Programming problems in LiveCodeBench's format, judged by running the program on tests."""
