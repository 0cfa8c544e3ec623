"""A training loop of one's own: groups of attempts at the same task, several turns each, in a vector environment.

The policy is a table of words, in the place of a model that reads the chat. The update is the policy gradient with the
reward relative to the group, as in GRPO.

python examples/training_loop.py
"""

from itertools import cycle

import numpy as np
from own_environment import ENDINGS, RhymeEnv

from sdpo_gym import TextVectorEnv

WORDS = ["bright", "night", "bone", "alone", "train", "plain", "play", "away", "rhyme", "the"]
GROUPS, SIZE = 2, 4  # groups at the same time, and attempts in each
STEPS, RATE = 150, 1.0


class RhymeVectorEnv(TextVectorEnv):
    env_type = RhymeEnv


count = GROUPS * SIZE
envs = RhymeVectorEnv(count, max_turns=2)
rng = np.random.default_rng(0)
scores = {task: np.zeros(len(WORDS)) for task in ENDINGS}
upcoming = cycle(ENDINGS)
tasks, chats, draws = [""] * count, [[]] * count, [[]] * count
returns, over = np.zeros(count), np.zeros(count, dtype=bool)
solved = []


def begin(group):
    """Pose the next task to a group's episodes; the others stay where they are."""
    task = next(upcoming)
    for i in group:
        tasks[i], draws[i], returns[i], over[i] = task, [], 0.0, False
    mask = np.isin(np.arange(count), group)
    read(envs.reset(options={"reset_mask": mask, "task": tasks})[1])


def read(infos):
    """Keep the chats, which are ready for a model's chat template. Episodes that did nothing have none in `infos`."""
    for i in np.flatnonzero(infos["_messages"]):
        chats[i] = infos["messages"][i]


def respond(i):
    """Draw a word that the chat does not have yet."""
    said = {message["content"] for message in chats[i]}
    weights = np.exp(scores[tasks[i]]) * [word not in said for word in WORDS]
    probabilities = weights / weights.sum()
    chosen = rng.choice(len(WORDS), p=probabilities)
    draws[i].append((chosen, probabilities))
    return WORDS[chosen]


def learn(group):
    """Make the words of attempts that did better than the group's mean likelier, and those of the others less so."""
    for i in group:
        advantage = returns[i] - returns[group].mean()
        for chosen, probabilities in draws[i]:
            scores[tasks[i]] += RATE * advantage * (np.eye(len(WORDS))[chosen] - probabilities)


groups = np.arange(count).reshape(GROUPS, SIZE)
for group in groups:
    begin(group)
for _ in range(STEPS):
    actions = [None if over[i] else respond(i) for i in range(count)]
    _, rewards, over, _, infos = envs.step(actions)
    returns += rewards
    read(infos)
    for group in groups:
        if over[group].all():
            solved.append(returns[group].mean())
            learn(group)
            begin(group)
envs.close()
print(f"solved: {np.mean(solved[:10]):.0%} of the first ten groups' attempts, {np.mean(solved[-10:]):.0%} of the last")
