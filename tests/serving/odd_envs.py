"""Environments that misbehave; importing this registers them."""

from __future__ import annotations

import os
import sys
import threading
import time
from fractions import Fraction

import gymnasium
import numpy as np
import toy_env


class FailingEnv(toy_env.PlainEnv):
    """Does what the response says. The first reset that is told to sleep does so, in all of the process."""

    has_slept = False

    def __init__(self, close_seconds=0.0):
        super().__init__()
        self.close_seconds = close_seconds

    def close(self):
        time.sleep(self.close_seconds)

    def reset(self, *, seed=None, options=None):
        if options == {"sleep": True} and not FailingEnv.has_slept:
            FailingEnv.has_slept = True
            time.sleep(3)
        return super().reset(seed=seed)

    def step(self, action):
        if action == "raise":
            raise RuntimeError("the judge is lost")
        if action == "exit":
            os._exit(1)
        if action == "sys.exit":
            sys.exit(1)
        if action == "sleep":
            time.sleep(3)
        if action == "no info":
            return "", 0.0, False, False, None
        if action == "fraction":
            return "", Fraction(1, 2), False, False, {}
        info = {
            "array": np.arange(3),
            "number": np.float32(0.5),
            "nan": float("nan"),
            "object": object(),
            "nested": ({"set": {1}, 1: "one"}, b"bytes", None, True),
            "feedback": "lone \ud800 surrogate" if action == "truncate" else "Well.",
        }
        return info["feedback"], np.float64(1.0), np.bool_(action == "end"), np.bool_(action == "truncate"), info


class OneThreadEnv(toy_env.PlainEnv):
    """Knows no other thread than that which made it, like a connection of SQLite's."""

    def __init__(self):
        super().__init__()
        self.thread = threading.get_ident()

    def reset(self, *, seed=None, options=None):
        assert threading.get_ident() == self.thread
        return super().reset(seed=seed)

    def step(self, action):
        assert threading.get_ident() == self.thread
        return super().step(action)


class OnceEnv(toy_env.PlainEnv):
    """Can be made only once in a process."""

    made = False

    def __init__(self, key):
        if OnceEnv.made:
            raise ValueError("it was made already")
        OnceEnv.made = True
        super().__init__()


gymnasium.register("odd/Failing-v0", entry_point=FailingEnv)
gymnasium.register("odd/OneThread-v0", entry_point=OneThreadEnv)
gymnasium.register("odd/Once-v0", entry_point=OnceEnv)
