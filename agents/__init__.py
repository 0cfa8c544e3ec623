"""Learners that train language models on text environments."""

import os

# On CPU, tensors over the vocabulary are large and short-lived: with huge pages an update takes a fifth less time.
# It has to be set before torch allocates anything.
os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")
