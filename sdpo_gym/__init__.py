"""Gymnasium environments that answer a language model with rich textual feedback.

Importing this package registers every environment, so that ``gymnasium.make("sdpo/LiveCodeBench-v0")`` works.
"""

from sdpo_gym.registry import ENVIRONMENTS, register_environments
from sdpo_gym.spaces import UnicodeText
from sdpo_gym.tasks import EndlessTaskSet, Message, Task, TaskList, TaskSet, Verifier
from sdpo_gym.text_env import TextEnv
from sdpo_gym.vector import TextVectorEnv
from sdpo_gym.verdict import Verdict

__version__ = "0.1.0"

__all__ = [
    "ENVIRONMENTS",
    "EndlessTaskSet",
    "Message",
    "Task",
    "TaskList",
    "TaskSet",
    "TextEnv",
    "TextVectorEnv",
    "UnicodeText",
    "Verdict",
    "Verifier",
    "register_environments",
]

register_environments()
