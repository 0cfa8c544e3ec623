"""Where rows of problems come from: files on this machine, and LiveCodeBench's releases on the Hugging Face hub."""
