"""Learners that train language models on text environments."""

import importlib.util
import os

# On CPU, tensors over the vocabulary are large and short-lived: with huge pages an update takes a fifth less time.
# It has to be set before torch allocates anything.
os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")

_missing = [name for name in ("torch", "transformers", "tyro", "rich") if importlib.util.find_spec(name) is None]
if _missing:
    raise ModuleNotFoundError(f"no module named {_missing[0]!r}: pip install 'sdpo-gym[agents]'", name=_missing[0])
