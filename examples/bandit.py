"""An agent without a language model: a bandit (UCB1) that finds out which of some canned answers is the best.

python examples/bandit.py

It knows nothing of sdpo-gym. Any agent that can send a text and read a number will do.
"""

import math

import gymnasium

ANSWERS = {
    "wrong for 'a'": "def is_palindrome(text):\n    return len(text) > 1 and text == text[::-1]",
    "always True": "def is_palindrome(text):\n    return True",
    "no program": "A palindrome reads the same in both directions.",
    "right": "def is_palindrome(text):\n    return text == text[::-1]",
}
PULLS = 40

env = gymnasium.make("sdpo_gym:sdpo/LiveCodeBench-v0", reward="dense")
pulls, returns = [0] * len(ANSWERS), [0.0] * len(ANSWERS)
names, texts = list(ANSWERS), list(ANSWERS.values())


def upper_bound(arm: int, pull: int) -> float:
    """How good an answer may be. One that was never tried may be anything."""
    if pulls[arm] == 0:
        return math.inf
    return returns[arm] / pulls[arm] + math.sqrt(math.log(pull) / (8 * pulls[arm]))


for pull in range(1, PULLS + 1):
    arm = max(range(len(ANSWERS)), key=lambda arm: upper_bound(arm, pull))
    env.reset(options={"task": "is-palindrome"})
    _, reward, *_ = env.step(f"```python\n{texts[arm]}\n```")
    pulls[arm] += 1
    returns[arm] += reward
env.close()

for name, count, total in zip(names, pulls, returns, strict=True):
    print(f"{name:14} {count:3} pulls, mean reward {total / count:.2f}")
print(f"best: {names[max(range(len(ANSWERS)), key=pulls.__getitem__)]}")
