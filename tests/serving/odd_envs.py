"""Environments that misbehave; importing this registers them."""

from __future__ import annotations

import os
import time

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
        if action == "sleep":
            time.sleep(3)
        info = {
            "array": np.arange(3),
            "number": np.float32(0.5),
            "nan": float("nan"),
            "object": object(),
            "nested": ({"set": {1}, 1: "one"}, b"bytes", None, True),
            "feedback": "lone \ud800 surrogate" if action == "truncate" else "Well.",
        }
        return info["feedback"], np.float64(1.0), np.bool_(action == "end"), np.bool_(action == "truncate"), info


gymnasium.register("odd/Failing-v0", entry_point=FailingEnv)
