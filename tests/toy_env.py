"""Small text environments for tests of the agents; importing this registers them."""

from __future__ import annotations

import threading
import time
from typing import ClassVar

import gymnasium
import numpy as np
from gymnasium.spaces import Box, Text

from sdpo_gym import Task, TaskList, TextEnv, TextVectorEnv, Verdict, Verifier

WORDS = ("alpha", "beta", "gamma", "delta")


class LengthVerifier(Verifier):
    """Solved by a response of an even number of characters: a random model does it half of the time."""

    def verify(self, task, response):
        solved = len(response) % 2 == 0
        feedback = "" if solved else f"The response has {len(response)} characters, an odd number."
        return Verdict(float(solved), solved, feedback, metrics={"characters": float(len(response))})


class EvenLengthEnv(TextEnv):
    def __init__(self, max_turns: int = 1, render_mode: str | None = None):
        tasks = [
            Task(word, ({"role": "user", "content": f"Say {word}."},), metadata={"letters": len(word)})
            for word in WORDS
        ]
        super().__init__(TaskList(tasks), LengthVerifier(), max_turns=max_turns, render_mode=render_mode)


class EvenVectorEnv(TextVectorEnv):
    env_type = EvenLengthEnv


class SumVerifier(Verifier):
    """Solved if the sum of the characters' codes leaves the right remainder: chance, about one in `modulus`."""

    def __init__(self, modulus, feedback):
        self.modulus, self.feedback = modulus, feedback

    def verify(self, task, response):
        remainder = sum(map(ord, response)) % self.modulus
        feedback = f"The sum of {response!r:.20} has the remainder {remainder}." if self.feedback and remainder else ""
        return Verdict(float(remainder == 0), remainder == 0, feedback, ({"kind": "sum"},) if feedback else ())


class RareEnv(TextEnv):
    """Tasks that are solved now and then."""

    def __init__(self, feedback: bool = True, modulus: int = 12, max_turns: int = 1, render_mode: str | None = None):
        tasks = [Task(word, ({"role": "user", "content": f"Say {word}."},)) for word in WORDS]
        super().__init__(TaskList(tasks), SumVerifier(modulus, feedback), max_turns=max_turns, render_mode=render_mode)


class LongEnv(TextEnv):
    """Some of its tasks, with `every` all of them, have a prompt that is longer than the tiny model's context."""

    def __init__(self, every: bool = False, render_mode: str | None = None):
        padding = " and again" * 300
        tasks = [
            Task(word, ({"role": "user", "content": f"Say {word}{padding if every or word > 'beta' else ''}."},))
            for word in WORDS
        ]
        super().__init__(TaskList(tasks), LengthVerifier(), render_mode=render_mode)


class EchoVerifier(Verifier):
    """Quotes the response in the feedback."""

    def verify(self, task, response):
        return Verdict(0.0, False, f"You said {response}")


class EchoEnv(TextEnv):
    def __init__(self, max_turns: int = 1, render_mode: str | None = None):
        tasks = TaskList([Task("echo", ({"role": "user", "content": "Speak."},))])
        super().__init__(tasks, EchoVerifier(), max_turns=max_turns, render_mode=render_mode)


class PlainEnv(gymnasium.Env):
    """What another package's environment may look like: stock spaces, no tasks, nothing in `info`."""

    def __init__(self):
        self.observation_space = Text(1000)
        self.action_space = Text(1000)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        return f"Number {self.np_random.integers(1000)}", {}

    def step(self, action):
        solved = len(action) % 2 == 0
        return "" if solved else "odd", float(solved), True, False, {}


class LabelledEnv(PlainEnv):
    """What it says about a task has names that others use for something else."""

    def reset(self, *, seed=None, options=None):
        observation, _ = super().reset(seed=seed)
        return observation, {"metadata": {"task_id": "mine", "seed": 99, "level": 3}}


class AlikeEnv(PlainEnv):
    """Calls all its tasks the same."""

    def reset(self, *, seed=None, options=None):
        observation, _ = super().reset(seed=seed)
        return observation, {"task_id": "a number", "metadata": {"level": seed % 11}}


class NumberedEnv(PlainEnv):
    """Has tasks that it takes by number, and names none."""

    num_tasks = len(WORDS)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.word = WORDS[options["task"]]
        return f"Say {self.word}.", {}

    def step(self, action):
        solved = action == self.word
        return "" if solved else "another word", float(solved), True, False, {}


class EndlessEnv(PlainEnv):
    """Goes on until a time limit cuts it."""

    def step(self, action):
        return "Go on.", 0.0, False, False, {}


class MovesEnv(PlainEnv):
    """Several moves, each with a reward of its own, as in Gymnasium's own environments."""

    def __init__(self, rewards=(1.0, 0.0)):
        super().__init__()
        self.rewards = rewards

    def reset(self, *, seed=None, options=None):
        self.left = list(self.rewards)
        return super().reset(seed=seed)

    def step(self, action):
        reward = self.left.pop(0)
        return f"{len(self.left)} left", reward, not self.left, False, {}


class SlowEnv(PlainEnv):
    """Takes its time to begin and to judge; the class knows which are open, and which threads have closed others."""

    opened = 0
    open: ClassVar[list] = []
    closed_by: ClassVar[list] = []

    def __init__(self, seconds=0.2):
        super().__init__()
        self.seconds = seconds
        self.open.append(self)
        SlowEnv.opened += 1
        time.sleep(seconds)

    def step(self, action):
        time.sleep(self.seconds)
        return "Go on.", 0.0, False, False, {}

    def close(self):
        self.open.remove(self)
        self.closed_by.append(threading.current_thread())


class NumPyEnv(PlainEnv):
    """Says in NumPy's numbers what it has to say."""

    def step(self, action):
        solved = np.bool_(len(action) % 2 == 0)
        metrics = {"share": np.float32(0.5), "characters": np.int64(len(action)), "even": solved}
        return "" if solved else "odd", np.float32(solved), np.True_, np.False_, {"success": solved, "metrics": metrics}


class UnseededEnv(PlainEnv):
    """Ignores the seed."""

    def reset(self, *, seed=None, options=None):
        return super().reset(seed=None)


class FailingEnv(PlainEnv):
    """Goes wrong where it is told to."""

    def __init__(self, where: str = ""):
        super().__init__()
        self.where = where

    def reset(self, *, seed=None, options=None):
        if self.where == "data":
            raise ValueError("the data are damaged")
        return "prompt alone" if self.where == "reset" else super().reset(seed=seed)

    def step(self, action):
        if self.where == "code":
            int(action)
        if self.where == "connection":
            raise ConnectionError("the server is gone")
        return super().step(action)[: 4 if self.where == "step" else 5]


class SeedOnlyEnv(PlainEnv):
    """Takes no options."""

    def reset(self, seed=None):
        return super().reset(seed=seed)


class NumbersEnv(PlainEnv):
    """Not a text environment."""

    def __init__(self):
        self.observation_space = Box(0, 1)
        self.action_space = Text(10)


ENVIRONMENTS = {
    "Even": EvenLengthEnv,
    "Rare": RareEnv,
    "Long": LongEnv,
    "Echo": EchoEnv,
    "Plain": PlainEnv,
    "Labelled": LabelledEnv,
    "Alike": AlikeEnv,
    "Moves": MovesEnv,
    "NumPy": NumPyEnv,
    "Slow": SlowEnv,
    "Unseeded": UnseededEnv,
    "Numbered": NumberedEnv,
    "Failing": FailingEnv,
    "SeedOnly": SeedOnlyEnv,
    "Numbers": NumbersEnv,
}
for _name, _type in ENVIRONMENTS.items():
    gymnasium.register(f"toy/{_name}-v0", entry_point=_type)
gymnasium.register("toy/Endless-v0", entry_point=EndlessEnv, max_episode_steps=2)
